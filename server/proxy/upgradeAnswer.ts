import { headEnd } from '../traces/wire/httpParser.ts';

const startBytes = 'HTTP/1.1 101'.length;
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
