import type { CaptureListener } from './capturedExchange.ts';
import type { ReplyBuilder } from './dialects/dialect.ts';
import { responses } from './dialects/responses.ts';
import { parseJson, stringAt } from './json.ts';
import { type HttpHead, headerOf } from './wire/httpHead.ts';
import { WebSocketReader, webSocketOptions } from './wire/webSocket.ts';

const lastEvents = new Set(['response.completed', 'response.failed', 'response.incomplete', 'error']);

interface Upgrade {
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
      reply: responses.reply(),
      startedAtMs: this.#nowMs,
      firstByteAtMs: null,
      characters: 0,
    });
  }

  #answered(message: string): void {
    const current = this.#open[0];
    const event = parseJson(message);
    if (current === undefined || event === undefined) return;
    current.firstByteAtMs ??= this.#nowMs;
    current.characters += current.reply.event(event);
    this.#listener.streaming(current.characters);
    if (lastEvents.has(stringAt(event, 'type') ?? '')) this.#finish(false);
  }

  #finish(cut: boolean): void {
    const done = this.#open.shift();
    if (done === undefined) return;
    this.#listener.exchange({
      startedAtMs: done.startedAtMs,
      firstByteAtMs: done.firstByteAtMs,
      endedAtMs: this.#nowMs,
      method: 'GET',
      target: this.#upgrade.target,
      requestHead: this.#upgrade.requestHead,
      responseHead: this.#upgrade.responseHead,
      request: done.request,
      status: 101,
      dialect: 'responses',
      transport: 'websocket',
      reply: done.reply.finish(cut),
    });
  }
}

interface OpenExchange {
  readonly request: unknown;
  readonly reply: ReplyBuilder;
  readonly startedAtMs: number;
  firstByteAtMs: number | null;
  characters: number;
}
