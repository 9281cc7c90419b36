import type { CapturedExchange, SideRequest } from './capturedExchange.ts';
import { type DialectReader, errorMessageOf, type ReplyBuilder } from './dialects/dialect.ts';
import { dialectOf } from './dialects/index.ts';
import { parseJson } from './json.ts';
import { decodeContent } from './wire/contentCoding.ts';
import { type HttpHead, headerOf } from './wire/httpHead.ts';
import { SseParser } from './wire/sse.ts';

/** Bodies are kept up to here; a larger one is an exchange without its content. */
const maxBodyBytes = 64 * 1024 * 1024;

/** One HTTP request and its response while they pass. */
export class MessageReader {
  readonly method: string;
  readonly target: string;
  readonly path: string;
  readonly startedAtMs: number;
  readonly requestHead: HttpHead;
  responseHead: HttpHead | null = null;
  readonly #dialect: DialectReader | null;
  readonly #requestBody = new Body();
  readonly #responseBody = new Body();
  #firstByteAtMs: number | null = null;
  #reply: ReplyBuilder | null = null;
  #stream: SseParser | null = null;
  #characters = 0;
  #sizeBytes = 0;

  constructor(head: HttpHead, atMs: number) {
    [this.method, this.target] = head.startLine;
    this.path = this.target.split('?')[0] ?? '';
    this.startedAtMs = atMs;
    this.requestHead = head;
    this.#dialect = this.method === 'POST' ? dialectOf(this.path) : null;
  }

  get status(): number | null {
    return this.responseHead === null ? null : Number(this.responseHead.startLine[1]);
  }

  addRequest(bytes: Buffer): void {
    this.#sizeBytes += bytes.length;
    if (this.#dialect !== null) this.#requestBody.add(bytes);
  }

  begin(head: HttpHead, atMs: number): void {
    this.responseHead = head;
    this.#firstByteAtMs = atMs;
    if (this.#dialect === null) return;
    this.#reply = this.#dialect.reply();
    if (this.#isStream() && headerOf(head, 'content-encoding') === null) this.#stream = this.#newStream();
  }

  /** Returns the characters that the reply has brought so far. */
  addResponse(bytes: Buffer): number {
    this.#sizeBytes += bytes.length;
    if (this.#stream !== null) this.#stream.push(bytes);
    else if (this.#reply !== null) this.#responseBody.add(bytes);
    return this.#characters;
  }

  /** What was read, once it has ended, or was `cut` before its end. */
  finish(endedAtMs: number, cut: boolean): { exchange: CapturedExchange } | { side: SideRequest } {
    if (this.#dialect === null) {
      return {
        side: {
          atMs: this.startedAtMs,
          method: this.method,
          path: this.path,
          status: this.status,
          sizeBytes: this.#sizeBytes,
        },
      };
    }
    const { reply, json } = this.#finishReply(this.#dialect, cut);
    return {
      exchange: {
        startedAtMs: this.startedAtMs,
        firstByteAtMs: this.#firstByteAtMs,
        endedAtMs,
        method: this.method,
        target: this.target,
        requestHead: this.requestHead,
        responseHead: this.responseHead,
        request: this.#requestBody.json(this.requestHead),
        status: this.status,
        dialect: this.#dialect.id,
        transport: this.responseHead === null ? 'other' : this.#isStream() ? 'sse' : json ? 'json' : 'other',
        reply,
      },
    };
  }

  #finishReply(dialect: DialectReader, cut: boolean) {
    const builder = this.#reply ?? dialect.reply();
    let json = false;
    if (this.#stream === null && this.responseHead !== null) {
      if (this.#isStream()) this.#newStream().push(this.#responseBody.bytes(this.responseHead));
      else {
        const value = this.#responseBody.json(this.responseHead);
        json = value !== null;
        if (json) builder.whole(value);
      }
    }
    const reply = builder.finish(cut || this.#isStream());
    const failed = this.status !== null && this.status >= 400 ? `HTTP ${this.status}` : null;
    const unanswered = this.responseHead === null ? 'The connection closed before a reply.' : null;
    return { json, reply: { ...reply, error: unanswered ?? reply.error ?? errorMessageOf(reply.json) ?? failed } };
  }

  #isStream(): boolean {
    const type = this.responseHead === null ? null : headerOf(this.responseHead, 'content-type');
    return type?.toLowerCase().startsWith('text/event-stream') ?? false;
  }

  #newStream(): SseParser {
    return new SseParser(({ data }) => {
      const value = parseJson(data);
      if (value !== undefined) this.#characters += this.#reply?.event(value) ?? 0;
    });
  }
}

class Body {
  #chunks: Buffer[] = [];
  #sizeBytes = 0;

  add(bytes: Buffer): void {
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes <= maxBodyBytes) this.#chunks.push(Buffer.from(bytes));
    else this.#chunks = [];
  }

  /** Decoded bytes; empty when they cannot be decoded. */
  bytes(head: HttpHead): Buffer {
    try {
      return decodeContent(Buffer.concat(this.#chunks), headerOf(head, 'content-encoding'));
    } catch {
      return Buffer.alloc(0);
    }
  }

  json(head: HttpHead): unknown {
    return parseJson(this.bytes(head).toString('utf8')) ?? null;
  }
}
