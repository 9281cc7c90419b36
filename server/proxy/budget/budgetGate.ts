import { Duplex } from 'node:stream';
import { dialectOf } from '../../traces/dialects/index.ts';
import { type ConversationFacts, conversationFacts } from '../../traces/sessions/conversationId.ts';
import { type HttpHead, headerOf, parseHead } from '../../traces/wire/httpHead.ts';
import { HttpParser } from '../../traces/wire/httpParser.ts';
import { AskedUpgrade, type Spoken } from '../connections/upgradeAnswer.ts';
import type { LaunchState } from '../launches/launches.ts';
import type { BudgetGuard } from './budget.ts';
import { failedEvent, refusalReply, upgradeRefusal } from './budgetReply.ts';
import { ClientFrames, type FramePart, policyClose, textFrame } from './clientFrames.ts';
import { WithheldMessages } from './withheldMessages.ts';
import { WithheldRequest } from './withheldRequest.ts';

/** What travels on a connection to a model host. */
interface Traffic {
  readonly host: string;
  readonly launch: LaunchState | null;
}

/** The way to a model host; with a gate in it where a budget limits this traffic, and as it is everywhere else. */
export function gated(upstream: Duplex, { host, launch }: Traffic, budgets: BudgetGuard): Duplex {
  if (!budgets.limits(launch)) return upstream;
  return new BudgetGate(upstream, {
    asksSession: budgets.limitsSessions(launch),
    refusal: ({ id, userAgent }) => budgets.refusal(launch, { sessionId: id, userAgent, host }),
  });
}

interface Judge {
  /** Whether the session of a request or message is looked for in its body too. */
  readonly asksSession: boolean;
  /** Words when this request, or one more message on the WebSocket that it opened, must not go on. */
  refusal(facts: ConversationFacts): string | null;
}

/** Who opened a WebSocket. */
interface Opener {
  readonly head: HttpHead;
  readonly facts: ConversationFacts;
}

/** What the agent speaks, as far as that matters here. */
type Speech = 'new' | 'blind' | 'http' | 'webSocket';

/** All but the control characters that nobody takes for blank: some servers ask little of a request. */
function mayBeginRequest(byte = 0x20): boolean {
  return byte > 0x1b || (byte >= 0x09 && byte <= 0x0d);
}

/**
 * Stands in for the connection to a model host. Requests pass byte for byte until one is refused: that one is read to
 * its end and never completed, our answer comes as if from the host, and the connection is closed.
 */
class BudgetGate extends Duplex {
  readonly #upstream: Duplex;
  readonly #judge: Judge;
  readonly #requests: HttpParser;
  readonly #frames = new ClientFrames(part => this.#passFrame(part));
  readonly #upgrade = new AskedUpgrade();
  #speech: Speech = 'new';
  #verdict: 'passes' | 'refusing' | 'refused' = 'passes';
  #rawHead: Buffer = Buffer.alloc(0);
  /** The request under way, where its body has to tell its session. */
  #withheld: WithheldRequest | null = null;
  /** Null for what is no model's. */
  #opener: Opener | null = null;
  /** The WebSocket's messages, where each has to tell its session. */
  #messages: WithheldMessages | null = null;
  #answer: Buffer = Buffer.alloc(0);
  #full = false;

  constructor(upstream: Duplex, judge: Judge) {
    super();
    this.#upstream = upstream;
    this.#judge = judge;
    this.#requests = new HttpParser('request', {
      rawHead: bytes => {
        this.#rawHead = bytes;
      },
      head: head => this.#beginRequest(head),
      body: bytes => this.#withheld?.read(bytes),
      framed: bytes => this.#pass(this.#withheld?.next(bytes) ?? bytes),
      end: () => this.#endRequest(),
      tunnelled: bytes => this.#take(bytes),
    });
    upstream.on('data', (chunk: Buffer) => this.#answered(chunk));
    upstream.once('end', () => this.push(null));
    upstream.once('error', (error: Error) => this.destroy(error));
    upstream.once('close', () => {
      if (!upstream.readableEnded && this.#verdict !== 'refused') this.destroy();
    });
    this.once('end', () => this.destroy());
  }

  override _read(): void {
    this.#upstream.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#full = false;
    try {
      this.#take(chunk);
    } catch (error) {
      // Two readings of one request are possible: neither side gets to see it.
      done(error as Error);
      return;
    }
    if (this.#full && this.#upstream.writable) this.#upstream.once('drain', done);
    else done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#upstream.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    // What is no HTTP is no use of a model's budget either.
    if (this.#speech === 'new') this.#speech = mayBeginRequest(chunk[0]) ? 'http' : 'blind';
    if (this.#verdict === 'refused') return;
    if (this.#upgrade.holds) this.#upgrade.hold(chunk);
    else if (this.#speech === 'blind') this.#pass(chunk);
    else if (this.#speech === 'webSocket') this.#frames.push(chunk);
    else this.#requests.push(chunk);
  }

  #beginRequest(head: HttpHead): void {
    // Nothing behind a refused request is looked at.
    if (this.#verdict === 'refused') return;
    const [method, target] = head.startLine;
    const upgrade = headerOf(head, 'upgrade');
    const asksModel = (method === 'POST' || upgrade !== null) && dialectOf(target.split('?')[0] ?? '') !== null;
    const facts = asksModel ? conversationFacts(head, null) : null;
    // It may be one of several that the agent would take.
    const isWebSocket = /(^|[ \t,])websocket([ \t,/]|$)/i.test(upgrade ?? '');
    const isUnnamed = facts?.id === null && this.#judge.asksSession;
    if (isUnnamed && method === 'POST') this.#withhold(head);
    // A socket without a name is no session: each message is asked for its own.
    else if (isUnnamed && isWebSocket) this.#pass(this.#rawHead);
    else if (facts !== null && this.#refuses(head, facts)) {
      // Who waits for a word before it sends its body has it now.
      if (headerOf(head, 'expect') !== null) this.#answerRefused();
      return;
    } else this.#pass(this.#rawHead);
    if (upgrade === null) return;
    this.#upgrade.asked();
    this.#opener = facts !== null && isWebSocket ? { head, facts } : null;
  }

  #withhold(head: HttpHead): void {
    this.#withheld = new WithheldRequest(head, this.#rawHead);
    // The word for which the agent waits comes from the host.
    if (headerOf(head, 'expect') !== null) this.#pass(this.#withheld.next(Buffer.alloc(0)));
  }

  #refuses(head: HttpHead, facts: ConversationFacts): boolean {
    const words = this.#judge.refusal(facts);
    if (words === null) return false;
    this.#verdict = 'refusing';
    this.#answer = Buffer.from(head.startLine[0] === 'POST' ? refusalReply(head, words) : upgradeRefusal);
    return true;
  }

  #endRequest(): void {
    const request = this.#withheld;
    this.#withheld = null;
    if (request !== null && !this.#refuses(request.head, request.facts())) this.#pass(request.latest);
    if (this.#verdict === 'refusing') {
      this.#answerRefused();
      return;
    }
    const spoken = this.#upgrade.sent();
    if (spoken === 'switched') this.#requests.tunnel();
    this.#speak(spoken);
  }

  /** What the agent speaks from here on. */
  #speak(spoken: Spoken | null): void {
    if (spoken !== 'switched') return;
    this.#speech = this.#opener === null ? 'blind' : 'webSocket';
    const { head } = this.#upgrade;
    if (head === null || this.#opener?.facts.id !== null || !this.#judge.asksSession) return;
    this.#messages = new WithheldMessages(this.#opener.head, parseHead(head, 'response'));
  }

  #passFrame(part: FramePart): void {
    if (this.#verdict === 'refused') return;
    if (this.#messages !== null) this.#pass(this.#messages.next(part));
    const asker = this.#askerOf(part);
    const words = asker === null ? null : this.#judge.refusal(asker);
    if (words !== null) {
      this.#verdict = 'refusing';
      this.#answer = Buffer.concat([textFrame(failedEvent(words)), policyClose()]);
    }
    if (this.#messages === null) this.#pass(part.bytes);
    else if (asker !== null) this.#pass(this.#messages.rest());
    if (part.endsMessage && this.#verdict === 'refusing') this.#answerRefused();
  }

  /** Who sends a message, as soon as it is known; null elsewhere in it. */
  #askerOf({ startsMessage, endsMessage }: FramePart): ConversationFacts | null {
    if (this.#messages !== null) return endsMessage ? this.#messages.facts() : null;
    return startsMessage ? (this.#opener?.facts ?? null) : null;
  }

  #pass(bytes: Buffer): void {
    if (this.#verdict !== 'passes' || bytes.length === 0 || !this.#upstream.writable) return;
    this.#full = !this.#upstream.write(bytes);
  }

  /** The refused request or message is complete. */
  #answerRefused(): void {
    this.#verdict = 'refused';
    // Who reads along has its last bytes first: a record without them would not tell its session.
    process.nextTick(() => {
      if (this.destroyed) return;
      this.push(this.#answer);
      this.push(null);
      this.#upstream.destroy();
    });
  }

  #answered(chunk: Buffer): void {
    if (this.#verdict === 'refused') return;
    if (!this.push(chunk)) this.#upstream.pause();
    try {
      const spoken = this.#upgrade.answered(chunk);
      if (spoken === null) return;
      this.#speak(spoken);
      for (const waiting of this.#upgrade.take()) this.#take(waiting);
    } catch (error) {
      this.destroy(error as Error);
    }
  }
}
