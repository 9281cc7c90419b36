import { type HttpHead, headerOf } from '../traces/wire/httpHead.ts';
import { HttpParser } from '../traces/wire/httpParser.ts';

const switched = /^HTTP\/1\.1 101 /;

/**
 * Changes the heads of the requests on a connection; bodies pass as they are framed. After an upgrade was asked for,
 * what follows waits until it is known whether it is still HTTP.
 */
export class RequestRewriter {
  readonly #parser: HttpParser;
  #write: (bytes: Buffer) => void = () => undefined;
  #upgrading = false;
  #held: Buffer[] = [];

  /** `rewrite` may throw to refuse a request. */
  constructor(rewrite: (head: HttpHead) => HttpHead) {
    this.#parser = new HttpParser('request', {
      head: head => {
        this.#write(serialiseHead(rewrite(head)));
        this.#upgrading = headerOf(head, 'upgrade') !== null;
      },
      body: () => undefined,
      framed: bytes => this.#write(bytes),
      end: () => undefined,
      tunnelled: bytes => this.#write(bytes),
    });
  }

  /** @throws HttpSyntaxError and what `rewrite` throws */
  push(bytes: Buffer, write: (bytes: Buffer) => void): void {
    if (this.#upgrading) {
      this.#held.push(bytes);
      return;
    }
    this.#write = write;
    this.#parser.push(bytes);
  }

  /** The first bytes that come back after an upgrade was asked for settle what the agent speaks from then on. */
  answered(bytes: Buffer, write: (bytes: Buffer) => void): void {
    if (!this.#upgrading) return;
    this.#upgrading = false;
    if (switched.test(bytes.toString('latin1', 0, 16))) this.#parser.tunnel();
    const held = this.#held;
    this.#held = [];
    for (const waiting of held) this.push(waiting, write);
  }
}

export function serialiseHead(head: HttpHead): Buffer {
  const lines = head.headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${head.startLine.join(' ').trimEnd()}\r\n${lines.join('')}\r\n`, 'latin1');
}
