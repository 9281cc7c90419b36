import { type HttpHead, headerOf } from '../traces/wire/httpHead.ts';
import { HttpParser } from '../traces/wire/httpParser.ts';
import { HeldBytes, UpgradeAnswer } from './upgradeAnswer.ts';

/**
 * Changes the heads of the requests on a connection; bodies pass as they are framed. After an upgrade was asked for,
 * what follows waits until it is known whether it is still HTTP.
 */
export class RequestRewriter {
  readonly #parser: HttpParser;
  #write: (bytes: Buffer) => void = () => undefined;
  #upgrade: UpgradeAnswer | null = null;
  readonly #held = new HeldBytes();

  /** `rewrite` may throw to refuse a request. */
  constructor(rewrite: (head: HttpHead) => HttpHead) {
    this.#parser = new HttpParser('request', {
      head: head => {
        this.#write(serialiseHead(rewrite(head)));
        if (headerOf(head, 'upgrade') !== null) this.#upgrade = new UpgradeAnswer();
      },
      body: () => undefined,
      framed: bytes => this.#write(bytes),
      end: () => undefined,
      tunnelled: bytes => this.#write(bytes),
    });
  }

  /** @throws HttpSyntaxError and what `rewrite` throws */
  push(bytes: Buffer, write: (bytes: Buffer) => void): void {
    if (this.#upgrade !== null) {
      this.#held.add(bytes);
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
    const protocol = this.#upgrade?.push(bytes) ?? null;
    if (protocol === null) return;
    this.#upgrade = null;
    if (protocol === 'switched') this.#parser.tunnel();
    for (const waiting of this.#held.take()) this.push(waiting, write);
  }
}

export function serialiseHead(head: HttpHead): Buffer {
  const lines = head.headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${head.startLine.join(' ').trimEnd()}\r\n${lines.join('')}\r\n`, 'latin1');
}
