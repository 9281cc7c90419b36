import { responses } from '../dialects/responses.ts';
import { parseJson, stringAt } from '../json.ts';
import { type HttpHead, headerOf } from '../wire/httpHead.ts';
import { WebSocketReader, webSocketOptions } from '../wire/webSocket.ts';
import { type CaptureListener, inOrder } from './capturedExchange.ts';
import { ReplyReader, toLatin1 } from './replyReader.ts';

/** The request that opened the WebSocket, and its answer. */
export interface Upgrade {
  readonly target: string;
  readonly requestHead: HttpHead;
  readonly responseHead: HttpHead;
}

/** The Responses API over a WebSocket: each `response.create` and the events up to its end are one exchange. */
export class WebSocketConversation {
  readonly #upgrade: Upgrade;
  readonly #listener: CaptureListener;
  readonly #up: WebSocketReader;
  readonly #down: WebSocketReader;
  #open: OpenExchange[] = [];
  #nowMs = 0;

  constructor(upgrade: Upgrade, listener: CaptureListener) {
    this.#upgrade = upgrade;
    this.#listener = listener;
    const extensions = headerOf(upgrade.responseHead, 'sec-websocket-extensions');
    this.#up = new WebSocketReader(webSocketOptions(extensions, 'client'), message => this.#asked(message));
    this.#down = new WebSocketReader(webSocketOptions(extensions, 'server'), message => this.#answered(message));
  }

  push(direction: 'up' | 'down', bytes: Buffer, atMs: number): void {
    this.#nowMs = atMs;
    if (direction === 'up') this.#up.push(bytes);
    else this.#down.push(bytes);
  }

  close(atMs: number): void {
    this.#nowMs = atMs;
    while (this.#open.length > 0) this.#finish(true);
  }

  #asked(message: string): void {
    const request = parseJson(message);
    if (stringAt(request, 'type') !== 'response.create') return;
    this.#open.push({
      request,
      body: Buffer.from(message),
      reply: new ReplyReader(responses, 'messages', this.#nowMs),
      startedAtMs: this.#nowMs,
      firstByteAtMs: null,
      sizeBytes: 0,
    });
  }

  #answered(message: string): void {
    const current = this.#open[0];
    if (current === undefined) return;
    current.firstByteAtMs ??= this.#nowMs;
    const bytes = toLatin1(message);
    current.sizeBytes += bytes.length;
    current.reply.event(bytes, this.#nowMs, () => parseJson(message));
    this.#listener.streaming(current.reply.characters);
    if (current.reply.ended) this.#finish(false);
  }

  #finish(cut: boolean): void {
    const done = this.#open.shift();
    if (done === undefined) return;
    this.#listener.exchange({
      ...inOrder({ startedAtMs: done.startedAtMs, firstByteAtMs: done.firstByteAtMs, endedAtMs: this.#nowMs }),
      method: 'GET',
      target: this.#upgrade.target,
      requestHead: this.#upgrade.requestHead,
      responseHead: this.#upgrade.responseHead,
      request: done.request,
      requestBody: done.body,
      requestSizeBytes: done.body.length,
      responseSizeBytes: done.sizeBytes,
      status: 101,
      dialect: 'responses',
      transport: 'websocket',
      reply: done.reply.finish(cut),
      events: done.reply.events,
    });
  }
}

interface OpenExchange {
  readonly request: unknown;
  readonly body: Buffer;
  readonly reply: ReplyReader;
  readonly startedAtMs: number;
  firstByteAtMs: number | null;
  /** Of the reply's messages. */
  sizeBytes: number;
}
