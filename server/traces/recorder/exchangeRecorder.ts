import { type Cost, noCost, noUsage, type Usage } from '../../../protocol/usage.ts';
import { orderedId } from '../../base/ids.ts';
import { machineSleep } from '../../base/sleep.ts';
import type { CapturedExchange } from '../connections/capturedExchange.ts';
import { dialectNamed } from '../dialects/index.ts';
import type { EventStream } from '../events/eventStream.ts';
import { packRequestText } from '../events/requestText.ts';
import { packEvents, packOmission } from '../events/storedEvents.ts';
import { arrayAt, isObject } from '../json.ts';
import type { Redactor } from '../redaction/redaction.ts';
import { isCleanTogether } from '../redaction/splitTexts.ts';
import { AgentDirectories } from '../sessions/agentDirectory.ts';
import { type ConversationFacts, conversationFacts, toTitle } from '../sessions/conversationId.ts';
import { summaryAside } from '../sessions/historySummary.ts';
import { firstPrompt } from '../sessions/titleRequest.ts';
import { promptOfTurn } from '../sessions/turns.ts';
import { type PackedReply, type PackedRequest, Packer } from '../storage/packing.ts';
import { type ExchangeWords, ownId, SessionClock } from '../storage/sessionClock.ts';
import type { TraceWriter } from '../storage/traceWriter.ts';
import { priceOf } from '../usage/prices.ts';
import { priceTerms } from '../usage/priceTerms.ts';
import { headerOf } from '../wire/httpHead.ts';
import { Attempts } from './attempts.ts';
import type { ConnectionOrigin, RecorderEvent } from './recorderMessages.ts';

/** Programs by what they call themselves in `user-agent`, for sessions that were not launched through us, or by a script. */
const agentsByUserAgent: readonly (readonly [RegExp, string])[] = [
  [/^codex/i, 'codex'],
  [/^claude/i, 'claude'],
  [/^gemini/i, 'gemini'],
  [/^opencode/i, 'opencode'],
  [/^qwen/i, 'qwen'],
];

const keptOwners = 1000;

/** That is told, as it is not where an API is silent about its tokens. */
const usedNothing: Usage = { ...noUsage, inputTokens: 0, outputTokens: 0 };

/** Turns a captured exchange into rows: finds its session, redacts, packs, prices, writes. */
export class ExchangeRecorder {
  readonly #writer: TraceWriter;
  readonly #redactor: Redactor;
  readonly #packer: Packer;
  readonly #sessions: SessionClock;
  readonly #attempts = new Attempts();
  /** Trials of the sessions that were written to; null for a person's. */
  readonly #owners = new Map<string, string | null>();
  readonly #directories: AgentDirectories;
  #together = false;

  constructor(writer: TraceWriter, redactor: Redactor, idleMs: number) {
    this.#writer = writer;
    this.#redactor = redactor;
    this.#packer = new Packer(writer, redactor);
    this.#directories = new AgentDirectories(sessionId => writer.isPlaced(sessionId));
    const latest = (launchId: string) => writer.latestOfLaunch(launchId);
    this.#sessions = new SessionClock(idleMs, { latest, sleep: machineSleep() });
  }

  record(captured: CapturedExchange, origin: ConnectionOrigin): RecorderEvent & { kind: 'exchange' } {
    const facts = conversationFacts(captured.requestHead, captured.request, text => this.#redactor.text(text));
    const source = origin.launch?.id ?? facts.userAgent ?? origin.host;
    const sessionId = this.#own(
      facts.id ?? this.#sessions.at(source, captured.startedAtMs, captured.endedAtMs, wordsOf(captured)),
      origin.launch?.trialId ?? null,
    );
    const id = orderedId(captured.endedAtMs);
    const launchId = origin.launch?.id ?? null;
    const { attempt, repeats } = this.#attempts.next(captured, sessionId, {
      turnId: facts.turnId,
      retryCount: facts.retryCount,
      sizeBytes: captured.requestSizeBytes,
      body: captured.requestBody,
      failed: captured.reply.error !== null,
      replyId: captured.reply.id,
      usage: captured.reply.usage,
    });
    // The same reply twice, such as after a lost connection, was generated and paid once.
    const reply = repeats ? { ...captured.reply, usage: usedNothing, cacheWriteTokens: null } : captured.reply;
    let cost: Cost = noCost;
    let model: string | null = null;
    const store = () => {
      const said = this.#said({ ...captured, reply }, sessionId, origin);
      const extra = this.#packer.extra(this.#extra(captured, facts, origin), sessionId);
      ({ cost, model } = said);
      this.#writer.exchange(this.#sessionRow(sessionId, captured, facts, origin), {
        id,
        sessionId,
        launchId,
        trialId: origin.launch?.trialId ?? null,
        startedAtMs: captured.startedAtMs,
        durationMs: captured.endedAtMs - captured.startedAtMs,
        firstByteMs: captured.firstByteAtMs === null ? null : captured.firstByteAtMs - captured.startedAtMs,
        method: captured.method,
        url: this.#url(captured, origin),
        upstreamHost: origin.host,
        status: captured.status,
        dialect: captured.dialect,
        transport: captured.transport,
        turnId: this.#clean(facts.turnId),
        attempt,
        ...said,
        extraJson: extra.json,
        extraHead: extra.head,
      });
    };
    if (this.#together) store();
    else this.together(store);
    return { kind: 'exchange', id, launchId, sessionId, model, usage: reply.usage, cost, failure: reply.error };
  }

  /** All that is recorded meanwhile is stored in one commit, or nothing of it. */
  together(work: () => void): void {
    this.#together = true;
    try {
      this.#packer.attempt(() => this.#writer.transaction(work));
    } catch (error) {
      this.#owners.clear();
      this.#directories.clear();
      throw error;
    } finally {
      this.#together = false;
    }
  }

  /** These sessions were deleted: nothing of them is there to refer to. */
  forget(sessionIds: ReadonlySet<string>): void {
    this.#packer.forget(sessionIds);
    this.#directories.forget(sessionIds);
    for (const id of sessionIds) this.#owners.delete(id);
  }

  /**
   * The agent's id of a conversation, or one derived from it when that is taken: ids are only what an agent claims, and
   * what runs in a trial must not write into a person's sessions or into another trial's.
   */
  #own(claimedId: string, trialId: string | null): string {
    const isTaken = (id: string) => {
      const owner = this.#ownerOf(id);
      return owner !== undefined && owner !== trialId;
    };
    let id = claimedId;
    while (isTaken(id)) id = `${id}@${trialId ?? 'own'}`;
    return id;
  }

  #ownerOf(sessionId: string): string | null | undefined {
    let owner = this.#owners.get(sessionId);
    if (owner === undefined) {
      owner = this.#writer.trialOf(sessionId);
      if (this.#owners.size === keptOwners) this.#owners.clear();
      // One that is not there yet will belong to whoever writes it first.
      if (owner !== undefined) this.#owners.set(sessionId, owner);
    }
    return owner;
  }

  #said(
    { request, reply, startedAtMs, requestHead, ...captured }: CapturedExchange,
    sessionId: string,
    origin: ConnectionOrigin,
  ) {
    const dialect = dialectNamed(captured.dialect);
    const packed = request === null ? null : this.#packer.request(request, dialect?.listField ?? 'input', sessionId);
    const packedReply = this.#packer.reply(reply.json, sessionId);
    const asked = dialect?.model(captured.target.split('?')[0] ?? '', request) ?? null;
    // The reply names the dated snapshot of the model that was asked for; prices are by what was asked.
    const model = this.#clean(asked ?? reply.model);
    if (reply.id !== null) packed?.remember(reply.id, arrayAt(reply.json, 'output'));
    const error =
      reply.error ?? (packed === null && dialect?.id !== 'other' ? 'The request body could not be read.' : null);
    const { cost, snapshot } = priceOf({
      usage: reply.usage,
      cacheWriteTokens: reply.cacheWriteTokens,
      terms: priceTerms(reply.json),
      model,
      host: origin.host,
      atMs: startedAtMs,
      replay: origin.launch?.replay ?? false,
      subscription: (headerOf(requestHead, 'authorization') ?? '').startsWith('Bearer sk-ant-oat'),
    });
    return {
      model,
      usage: reply.usage,
      cacheWriteTokens: reply.cacheWriteTokens,
      cost,
      price: snapshot,
      error: this.#clean(error),
      requestJson: packed?.json ?? null,
      requestHead: packed?.head ?? null,
      requestVerbatim: this.#requestVerbatim(captured, packed),
      requestBytes: captured.requestSizeBytes,
      responseJson: packedReply?.json ?? null,
      responseHead: packedReply?.head ?? null,
      responseEvents: this.#responseEvents(captured.events, packedReply),
      responseBytes: captured.events === null ? null : captured.responseSizeBytes,
    };
  }

  #requestVerbatim({ requestBody }: { requestBody: Buffer | null }, packed: PackedRequest | null): Buffer | null {
    return packRequestText(
      {
        body: requestBody ?? Buffer.alloc(0),
        canonical: packed?.sent ?? null,
        tail: packed?.tail ?? null,
        changed: packed?.changed ?? false,
        tooLarge: requestBody === null,
      },
      text => this.#redactor.text(text) === text,
    );
  }

  /** Events in which a secret is, whole or over several of them, are not stored at all. */
  #responseEvents(events: EventStream | null, reply: PackedReply | null): Buffer | null {
    if (events === null) return null;
    if (reply?.changed === false && events.onlyPieceAt(reply.text) !== null) return packEvents(events, reply.text);
    const hasSecret =
      reply?.changed === true ||
      !isCleanTogether(events, text => this.#isClean(text, [])) ||
      events.texts().some(text => !this.#isClean(text, reply?.parts ?? []));
    return hasSecret ? packOmission(events.framing, 'redacted') : packEvents(events, reply?.text ?? '');
  }

  /** Most of the events' text stands in the reply, some of it three times, and was looked through there. */
  #isClean(text: string, known: readonly string[]): boolean {
    const rest = known.reduce((left, part) => left.replaceAll(part, '""'), text);
    return this.#redactor.text(rest) === rest;
  }

  #sessionRow(id: string, captured: CapturedExchange, facts: ConversationFacts, origin: ConnectionOrigin) {
    const asked = dialectNamed(captured.dialect)?.asked(captured.request) ?? [];
    const first = firstPrompt(asked);
    // Where we name the conversation, the history that a request brings along is another session's.
    const prompt = first !== null && ownId.test(id) ? promptOfTurn(asked) : first;
    const launched = origin.launch?.agent ?? null;
    const guessed = agentsByUserAgent.find(([pattern]) => pattern.test(facts.userAgent ?? ''))?.[1];
    return {
      id,
      agent: launched === null || launched === 'other' ? (guessed ?? launched) : launched,
      userAgent: this.#clean(facts.userAgent),
      title: prompt === null ? '' : toTitle(this.#redactor.text(prompt)),
      repository: this.#clean(this.#directories.said(id, facts.repository, asked)),
      directory: this.#clean(origin.launch?.directory ?? null),
      purpose: facts.purpose,
      startedAtMs: captured.startedAtMs,
      endedAtMs: captured.endedAtMs,
    };
  }

  #url({ target }: CapturedExchange, { scheme, host, port }: ConnectionOrigin): string {
    const usual = scheme === 'https' ? 443 : 80;
    return `${scheme}://${host}${port === usual ? '' : `:${port}`}${this.#redactor.target(target)}`;
  }

  #clean(text: string | null): string | null {
    return text === null ? null : this.#redactor.text(text);
  }

  #extra({ responseHead, request }: CapturedExchange, facts: ConversationFacts, { launch }: ConnectionOrigin) {
    const extra = {
      agent: launch?.agent,
      label: launch?.label,
      userAgent: facts.userAgent,
      clientRequestId: facts.clientRequestId,
      requestId: responseHead === null ? null : headerOf(responseHead, 'x-request-id'),
      // A WebSocket's first message only warms the provider's cache up.
      prewarm: isObject(request) && request['generate'] === false ? true : null,
    };
    return Object.fromEntries(Object.entries(extra).filter(([, value]) => value !== null && value !== undefined));
  }
}

function wordsOf({ dialect, request, reply }: CapturedExchange): ExchangeWords {
  const reader = dialectNamed(dialect);
  return {
    asked: () => summaryAside(reader?.asked(request) ?? []),
    answered: () => reader?.answered(reply.json) ?? [],
  };
}
