import { type HttpHead, headerOf } from '../../traces/wire/httpHead.ts';
import { HttpParser } from '../../traces/wire/httpParser.ts';
import { AskedUpgrade } from './upgradeAnswer.ts';

/**
 * Changes the heads of the requests on a connection; bodies pass as they are framed. What follows a request for an
 * upgrade waits until it is known whether it is still HTTP.
 */
export class RequestRewriter {
  readonly #parser: HttpParser;
  #write: (bytes: Buffer) => void = () => undefined;
  readonly #upgrade = new AskedUpgrade();

  /** `rewrite` may throw to refuse a request. */
  constructor(rewrite: (head: HttpHead) => HttpHead) {
    this.#parser = new HttpParser('request', {
      head: head => {
        this.#write(serialiseHead(rewrite(head)));
        if (headerOf(head, 'upgrade') !== null) this.#upgrade.asked();
      },
      body: () => undefined,
      framed: bytes => this.#write(bytes),
      end: () => {
        if (this.#upgrade.sent() === 'switched') this.#parser.tunnel();
      },
      tunnelled: bytes => this.#write(bytes),
    });
  }

  /** @throws HttpSyntaxError and what `rewrite` throws */
  push(bytes: Buffer, write: (bytes: Buffer) => void): void {
    if (this.#upgrade.holds) {
      this.#upgrade.hold(bytes);
      return;
    }
    this.#write = write;
    this.#parser.push(bytes);
  }

  /**
   * Bytes that came back: the answer to an upgrade settles what the agent speaks from then on, and what has waited for it is read.
   * @throws as `push` does
   */
  answered(bytes: Buffer, write: (bytes: Buffer) => void): void {
    const spoken = this.#upgrade.answered(bytes);
    if (spoken === null) return;
    if (spoken === 'switched') this.#parser.tunnel();
    for (const waiting of this.#upgrade.take()) this.push(waiting, write);
  }
}

export function serialiseHead(head: HttpHead): Buffer {
  const lines = head.headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${head.startLine.join(' ').trimEnd()}\r\n${lines.join('')}\r\n`, 'latin1');
}
