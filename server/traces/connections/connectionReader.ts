import { responses } from '../dialects/responses.ts';
import type { HttpHead } from '../wire/httpHead.ts';
import { HttpParser } from '../wire/httpParser.ts';
import type { CaptureListener } from './capturedExchange.ts';
import { MessageReader } from './messageReader.ts';
import { type Upgrade, WebSocketConversation } from './webSocketConversation.ts';

/**
 * Reads a copy of both directions of one connection with a model host. Throws for what it cannot read; it is of no
 * use after that, the traffic itself is not concerned.
 */
export class ConnectionReader {
  readonly #listener: CaptureListener;
  readonly #up: HttpParser;
  readonly #down: HttpParser;
  /** Requests without a complete response, oldest first. */
  readonly #open: MessageReader[] = [];
  #webSocket: WebSocketConversation | null = null;
  #upgrade: Upgrade | null = null;
  #tunnelled = false;
  /** Bytes of a tunnel that speaks nothing we know. */
  #socketBytes = 0;
  #nowMs = 0;
  #messages = 0;
  /** Of the reply under way, as far as what was pushed last brought it. */
  #characters = 0;

  constructor(listener: CaptureListener) {
    this.#listener = listener;
    this.#up = new HttpParser('request', {
      head: head => void this.#open.push(new MessageReader(head, this.#nowMs)),
      body: bytes => this.#open.at(-1)?.addRequest(bytes),
      end: () => undefined,
      tunnelled: bytes => this.#tunnel('up', bytes),
    });
    this.#down = new HttpParser(
      'response',
      {
        head: head => this.#answer(head),
        body: bytes => {
          this.#characters = this.#open[0]?.addResponse(bytes, this.#nowMs) ?? 0;
        },
        bodies: (bytes, places) => {
          this.#characters = this.#open[0]?.addResponses(bytes, places, this.#nowMs) ?? 0;
        },
        end: () => this.#finish(false),
        tunnelled: bytes => this.#tunnel('down', bytes),
      },
      () => this.#open[0]?.method ?? null,
    );
  }

  /** Exchanges and side requests that were read whole. */
  get messages(): number {
    return this.#messages;
  }

  /** How a WebSocket that is read began; null on any other connection. */
  get upgrade(): Upgrade | null {
    return this.#upgrade;
  }

  push(direction: 'up' | 'down', bytes: Buffer, atMs: number): void {
    this.#nowMs = atMs;
    if (direction === 'up') this.#up.push(bytes);
    else {
      this.#characters = 0;
      this.#down.push(bytes);
      if (this.#characters > 0) this.#listener.streaming(this.#characters);
    }
  }

  /** The connection is closed: what was under way ends as it is. */
  close(atMs: number): void {
    this.#nowMs = atMs;
    this.#down.finish();
    this.#webSocket?.close(atMs);
    if (this.#tunnelled) this.#countSocket();
    else while (this.#open.length > 0) this.#finish(true);
  }

  #tunnel(direction: 'up' | 'down', bytes: Buffer): void {
    if (this.#webSocket === null) this.#socketBytes += bytes.length;
    else this.#webSocket.push(direction, bytes, this.#nowMs);
  }

  /** A socket to an endpoint that is not known is counted, so that it can be seen. */
  #countSocket(): void {
    const message = this.#open.shift();
    if (message === undefined || this.#webSocket !== null) return;
    const { startedAtMs: atMs, method, path, status } = message;
    this.#listener.side({ atMs, method, path, kind: 'socket', status, sizeBytes: this.#socketBytes });
  }

  #answer(head: HttpHead): void {
    const status = Number(head.startLine[1]);
    const message = this.#open[0];
    if (message === undefined || (status < 200 && status !== 101)) return;
    message.begin(head, this.#nowMs);
    if (status !== 101) return;
    this.#tunnelled = true;
    this.#messages++;
    this.#up.tunnel();
    if (!responses.matches(message.path)) return;
    const { target, requestHead } = message;
    this.#upgrade = { target, requestHead, responseHead: head };
    this.#webSocket = new WebSocketConversation(this.#upgrade, this.#listener);
  }

  #finish(cut: boolean): void {
    const message = this.#open.shift();
    if (message === undefined) return;
    this.#characters = 0;
    this.#messages++;
    const read = message.finish(this.#nowMs, cut);
    if ('exchange' in read) this.#listener.exchange(read.exchange);
    else this.#listener.side(read.side);
  }
}
