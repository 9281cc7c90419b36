import { HttpSyntaxError } from '../../traces/wire/httpHead.ts';
import { headEnd } from '../../traces/wire/httpParser.ts';

const startBytes = 'HTTP/1.1 101'.length;
/** Agents wait for the answer, or send a message at once. */
const maxHeldBytes = 4 * 1024 * 1024;
const maxHeadBytes = 256 * 1024;
const interim = /^HTTP\/1\.[01] 1(?!01)\d\d/;

/** What an agent speaks once an upgrade was answered. */
export type Spoken = 'switched' | 'http';

/**
 * An upgrade from its request on. That request's body goes on; what the agent sends behind it waits until the answer
 * says what it is.
 */
export class AskedUpgrade {
  #answer: UpgradeAnswer | null = null;
  #head: string | null = null;
  #early: Spoken | null = null;
  #holds = false;
  readonly #held = new HeldBytes();

  /** True while bytes from the agent must wait: give them to `hold`. */
  get holds(): boolean {
    return this.#holds;
  }

  /** The head with which another protocol was agreed on, a character per byte; null before. */
  get head(): string | null {
    return this.#head;
  }

  /** The head of a request for an upgrade has passed. */
  asked(): void {
    this.#answer = new UpgradeAnswer();
  }

  /** A request is complete. Tells what follows where an upgrade that it asked for is answered already. */
  sent(): Spoken | null {
    const early = this.#early;
    this.#early = null;
    this.#holds = this.#answer !== null;
    return early;
  }

  /**
   * Bytes that came back. Tells what the agent speaks, once: what was held is to be taken then.
   * @throws HttpSyntaxError when the answer's head does not end
   */
  answered(bytes: Buffer): Spoken | null {
    const spoken = this.#answer?.push(bytes) ?? null;
    if (spoken === null) return null;
    this.#head = this.#answer?.head ?? null;
    this.#answer = null;
    if (!this.#holds) {
      this.#early = spoken;
      return null;
    }
    this.#holds = false;
    return spoken;
  }

  /** @throws HttpSyntaxError when it is too much */
  hold(chunk: Buffer): void {
    this.#held.add(chunk);
  }

  /** Everything, in order; nothing is held after. */
  take(): readonly Buffer[] {
    return this.#held.take();
  }
}

/** Reads what comes back after an upgrade was asked for, when nothing else is under way on the connection. */
class UpgradeAnswer {
  #bytes: Buffer = Buffer.alloc(0);
  #head: string | null = null;

  /** Of a switch. */
  get head(): string | null {
    return this.#head;
  }

  /**
   * What the agent speaks from now on. Null until a switch's whole head is there, or the status of another final answer;
   * 1xx before it are skipped.
   * @throws HttpSyntaxError when a head does not end
   */
  push(bytes: Buffer): Spoken | null {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      const start = this.#bytes.toString('latin1', 0, startBytes);
      if (start.length < startBytes) return null;
      const isInterim = interim.test(start);
      if (!isInterim && !start.endsWith(' 101')) return 'http';
      const end = headEnd(this.#bytes, 0);
      if (end === null && this.#bytes.length > maxHeadBytes) throw new HttpSyntaxError('A head without an end.');
      if (end === null) return null;
      if (!isInterim) {
        this.#head = this.#bytes.toString('latin1', 0, end.text);
        return 'switched';
      }
      this.#bytes = this.#bytes.subarray(end.next);
    }
  }
}

/** What an agent sends after it asked for an upgrade, and before that was answered. */
class HeldBytes {
  #chunks: Buffer[] = [];
  #sizeBytes = 0;

  /** @throws HttpSyntaxError when it is too much */
  add(chunk: Buffer): void {
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes > maxHeldBytes)
      throw new HttpSyntaxError(`More than ${maxHeldBytes} bytes before an upgrade was answered.`);
    this.#chunks.push(chunk);
  }

  /** Everything, in order; nothing is held after. */
  take(): readonly Buffer[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#sizeBytes = 0;
    return chunks;
  }
}
