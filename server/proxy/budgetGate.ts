import { Duplex } from 'node:stream';
import { conversationFacts } from '../traces/conversationId.ts';
import { dialectOf } from '../traces/dialects/index.ts';
import { type HttpHead, headerOf } from '../traces/wire/httpHead.ts';
import { HttpParser } from '../traces/wire/httpParser.ts';
import type { BudgetGuard } from './budget.ts';
import { failedEvent, refusalReply, upgradeRefusal } from './budgetReply.ts';
import { ClientFrames, type FramePart, policyClose, textFrame } from './clientFrames.ts';
import type { LaunchState } from './launches.ts';
import { HeldBytes, UpgradeAnswer } from './upgradeAnswer.ts';

const requestLine = /^[\r\n]*[A-Z]+ /;
/** The way to a model host; with a gate in it where a budget limits this traffic, and as it is everywhere else. */
export function gated(upstream: Duplex, launch: LaunchState | null, budgets: BudgetGuard): Duplex {
  if (!budgets.limits(launch)) return upstream;
  return new BudgetGate(upstream, head => budgets.refusal(launch, conversationFacts(head, null).id));
}

/** Words when this request, or one more message on the WebSocket that it opened, must not go on. */
type Refusal = (head: HttpHead) => string | null;

type State = 'new' | 'blind' | 'http' | 'upgrading' | 'webSocket' | 'refusing' | 'refused';

/**
 * Stands in for the connection to a model host. Requests pass byte for byte until one is refused: that one is read to
 * its end and let go, our answer comes as if from the host, and the connection is closed.
 */
class BudgetGate extends Duplex {
  readonly #upstream: Duplex;
  readonly #refusal: Refusal;
  readonly #requests: HttpParser;
  readonly #frames = new ClientFrames(part => this.#passFrame(part));
  #state: State = 'new';
  #head: HttpHead | null = null;
  #rawHead: Buffer = Buffer.alloc(0);
  /** Sent after an upgrade was asked for and before it was answered. */
  readonly #held = new HeldBytes();
  #upgrade = new UpgradeAnswer();
  #answer: Buffer = Buffer.alloc(0);
  #full = false;

  constructor(upstream: Duplex, refusal: Refusal) {
    super();
    this.#upstream = upstream;
    this.#refusal = refusal;
    this.#requests = new HttpParser('request', {
      rawHead: bytes => {
        this.#rawHead = bytes;
      },
      head: head => this.#judge(head),
      body: () => undefined,
      framed: bytes => this.#pass(bytes),
      end: () => this.#endMessage(),
      tunnelled: bytes => this.#pass(bytes),
    });
    upstream.on('data', (chunk: Buffer) => this.#answered(chunk));
    upstream.once('end', () => this.push(null));
    upstream.once('error', (error: Error) => this.destroy(error));
    upstream.once('close', () => {
      if (!upstream.readableEnded && this.#state !== 'refused') this.destroy();
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
    if (this.#state === 'new') this.#state = requestLine.test(chunk.toString('latin1', 0, 32)) ? 'http' : 'blind';
    if (this.#state === 'blind') this.#pass(chunk);
    else if (this.#state === 'upgrading') this.#held.add(chunk);
    else if (this.#state === 'webSocket') this.#frames.push(chunk);
    else if (this.#state !== 'refused') this.#requests.push(chunk);
  }

  #judge(head: HttpHead): void {
    const [method, target] = head.startLine;
    const upgrade = headerOf(head, 'upgrade') !== null;
    const path = target.split('?')[0] ?? '';
    const asksModel = (method === 'POST' || upgrade) && dialectOf(path) !== null;
    const words = asksModel ? this.#refusal(head) : null;
    this.#head = head;
    if (words === null) {
      this.#pass(this.#rawHead);
      if (upgrade) {
        this.#state = 'upgrading';
        this.#upgrade = new UpgradeAnswer();
      }
      return;
    }
    this.#state = 'refusing';
    this.#answer = Buffer.from(upgrade ? upgradeRefusal : refusalReply(head, words));
    // Who waits for a word before it sends its body has it now.
    if (headerOf(head, 'expect') !== null) this.#endMessage();
  }

  #passFrame(part: FramePart): void {
    const words = part.startsMessage && this.#head !== null ? this.#refusal(this.#head) : null;
    if (words !== null) {
      this.#state = 'refusing';
      this.#answer = Buffer.concat([textFrame(failedEvent(words)), policyClose()]);
    }
    this.#pass(part.bytes);
    if (part.endsMessage) this.#endMessage();
  }

  #pass(bytes: Buffer): void {
    if (this.#state === 'refusing' || this.#state === 'refused' || !this.#upstream.writable) return;
    this.#full = !this.#upstream.write(bytes);
  }

  /** The request or message is complete. */
  #endMessage(): void {
    if (this.#state !== 'refusing') return;
    this.#state = 'refused';
    this.push(this.#answer);
    this.push(null);
    this.#upstream.destroy();
  }

  #answered(chunk: Buffer): void {
    if (this.#state === 'refused') return;
    if (!this.push(chunk)) this.#upstream.pause();
    if (this.#state !== 'upgrading') return;
    const protocol = this.#upgrade.push(chunk);
    if (protocol === null) return;
    this.#state = protocol === 'switched' ? 'webSocket' : 'http';
    try {
      for (const waiting of this.#held.take()) this.#take(waiting);
    } catch (error) {
      this.destroy(error as Error);
    }
  }
}
