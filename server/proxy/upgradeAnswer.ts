import { HttpSyntaxError } from '../traces/wire/httpHead.ts';
import { headEnd } from '../traces/wire/httpParser.ts';

const startBytes = 'HTTP/1.1 101'.length;
/** Agents wait for the answer, or send a message at once. */
const maxHeldBytes = 4 * 1024 * 1024;
const interim = /^HTTP\/1\.[01] 1(?!01)\d\d/;

/** Reads what comes back after an upgrade was asked for, when nothing else is under way on the connection. */
export class UpgradeAnswer {
  #bytes: Buffer = Buffer.alloc(0);

  /** What the agent speaks from now on. Null until the final answer's status is there; 1xx before it are skipped. */
  push(bytes: Buffer): 'switched' | 'http' | null {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      const start = this.#bytes.toString('latin1', 0, startBytes);
      if (start.length < startBytes) return null;
      if (!interim.test(start)) return start.endsWith(' 101') ? 'switched' : 'http';
      const end = headEnd(this.#bytes, 0);
      if (end === null) return null;
      this.#bytes = this.#bytes.subarray(end.next);
    }
  }
}

/** What an agent sends after it asked for an upgrade, and before that was answered. */
export class HeldBytes {
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
