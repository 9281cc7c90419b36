import { randomUUID } from 'node:crypto';
import type { CapturedExchange } from './capturedExchange.ts';
import { type ConversationFacts, conversationFacts, isPrompt, toTitle } from './conversationId.ts';
import { dialectNamed } from './dialects/index.ts';
import { arrayAt, isObject } from './json.ts';
import { Packer } from './packing.ts';
import { costOf } from './prices.ts';
import type { ConnectionOrigin, RecorderEvent } from './recorderMessages.ts';
import type { Redactor } from './redaction.ts';
import { SessionClock } from './sessionClock.ts';
import type { TraceWriter } from './traceWriter.ts';
import { headerOf } from './wire/httpHead.ts';

/** Programs by what they call themselves in `user-agent`, for sessions that were not launched through us. */
const agentsByUserAgent: readonly (readonly [RegExp, string])[] = [
  [/^codex/i, 'codex'],
  [/^claude/i, 'claude'],
  [/^gemini/i, 'gemini'],
  [/^opencode/i, 'opencode'],
  [/^qwen/i, 'qwen'],
];

/** Turns a captured exchange into rows: finds its session, redacts, packs, prices, writes. */
export class ExchangeRecorder {
  readonly #writer: TraceWriter;
  readonly #redactor: Redactor;
  readonly #packer: Packer;
  readonly #sessions: SessionClock;

  constructor(writer: TraceWriter, redactor: Redactor, idleMs: number) {
    this.#writer = writer;
    this.#redactor = redactor;
    this.#packer = new Packer(writer, redactor);
    this.#sessions = new SessionClock(idleMs);
  }

  record(captured: CapturedExchange, origin: ConnectionOrigin): RecorderEvent & { kind: 'exchange' } {
    const facts = conversationFacts(captured.requestHead, captured.request);
    const source = origin.launch?.id ?? facts.userAgent ?? origin.host;
    const sessionId = this.#own(
      facts.id ?? this.#sessions.at(source, captured.startedAtMs, captured.endedAtMs),
      origin.launch?.trialId ?? null,
    );
    const id = randomUUID();
    const launchId = origin.launch?.id ?? null;
    this.#writer.transaction(() => {
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
        ...this.#said(captured, sessionId, origin),
        extraJson: this.#extra(captured, facts, origin),
      });
    });
    return { kind: 'exchange', id, launchId, sessionId, usage: captured.reply.usage };
  }

  /**
   * The agent's id of a conversation, or one derived from it when that is taken: ids are only what an agent claims, and
   * what runs in a trial must not write into a person's sessions or into another trial's.
   */
  #own(claimedId: string, trialId: string | null): string {
    const isTaken = (id: string) => {
      const owner = this.#writer.trialOf(id);
      return owner !== undefined && owner !== trialId;
    };
    let id = claimedId;
    while (isTaken(id)) id = `${id}@${trialId ?? 'own'}`;
    return id;
  }

  #said(
    { request, reply, startedAtMs, requestHead, ...captured }: CapturedExchange,
    sessionId: string,
    origin: ConnectionOrigin,
  ) {
    const dialect = dialectNamed(captured.dialect);
    const packed = request === null ? null : this.#packer.request(request, dialect?.listField ?? 'input', sessionId);
    const asked = dialect?.model(captured.target.split('?')[0] ?? '', request) ?? null;
    // The reply names the dated snapshot of the model that was asked for; prices are by what was asked.
    const model = asked ?? reply.model;
    if (reply.id !== null) packed?.remember(reply.id, arrayAt(reply.json, 'output'));
    const error = reply.error ?? (packed === null ? 'The request body could not be read.' : null);
    return {
      model,
      usage: reply.usage,
      cost: costOf({
        usage: reply.usage,
        cacheWriteTokens: reply.cacheWriteTokens,
        model,
        host: origin.host,
        atMs: startedAtMs,
        replay: origin.launch?.replay ?? false,
        subscription: (headerOf(requestHead, 'authorization') ?? '').startsWith('Bearer sk-ant-oat'),
      }),
      error: error === null ? null : this.#redactor.text(error),
      requestJson: packed?.json ?? null,
      responseJson: this.#packer.reply(reply.json),
    };
  }

  #sessionRow(id: string, captured: CapturedExchange, facts: ConversationFacts, origin: ConnectionOrigin) {
    const prompt = dialectNamed(captured.dialect)
      ?.asked(captured.request)
      .find(said => said.kind === 'user' && isPrompt(said.text));
    const guessed = agentsByUserAgent.find(([pattern]) => pattern.test(facts.userAgent ?? ''))?.[1];
    return {
      id,
      agent: origin.launch?.agent ?? guessed ?? null,
      userAgent: facts.userAgent === null ? null : this.#redactor.text(facts.userAgent),
      title: prompt === undefined ? '' : this.#redactor.text(toTitle(prompt.text)),
      repository: facts.repository,
      startedAtMs: captured.startedAtMs,
      endedAtMs: captured.endedAtMs,
    };
  }

  #url({ target }: CapturedExchange, { scheme, host, port }: ConnectionOrigin): string {
    const usual = scheme === 'https' ? 443 : 80;
    return `${scheme}://${host}${port === usual ? '' : `:${port}`}${this.#redactor.target(target)}`;
  }

  #extra({ responseHead, request }: CapturedExchange, facts: ConversationFacts, { launch }: ConnectionOrigin): string {
    const extra = {
      agent: launch?.agent,
      label: launch?.label,
      userAgent: facts.userAgent,
      clientRequestId: facts.clientRequestId,
      turnId: facts.turnId,
      requestId: responseHead === null ? null : headerOf(responseHead, 'x-request-id'),
      // A WebSocket's first message only warms the provider's cache up.
      prewarm: isObject(request) && request['generate'] === false ? true : null,
    };
    const known = Object.entries(extra).filter(([, value]) => value !== null && value !== undefined);
    return JSON.stringify(this.#redactor.json(Object.fromEntries(known)));
  }
}
