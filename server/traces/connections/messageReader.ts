import { type DialectReader, errorMessageOf, type Reply } from '../dialects/dialect.ts';
import { dialectOf } from '../dialects/index.ts';
import { sideKind } from '../dialects/sideTraffic.ts';
import { parseJson } from '../json.ts';
import { decodeContent } from '../wire/contentCoding.ts';
import { type HttpHead, headerOf } from '../wire/httpHead.ts';
import { eachPlace } from '../wire/httpParser.ts';
import { type CapturedExchange, inOrder, type SideRequest } from './capturedExchange.ts';
import { ReplyReader, SseReply } from './replyReader.ts';

/** A request is parsed as a whole: it is kept up to here; a larger one is an exchange without its content. */
const maxRequestBytes = 64 * 1024 * 1024;
/** The same for a reply that is no event stream. Streams are read as they come. */
const maxReplyBytes = 8 * 1024 * 1024;

/** And for what goes to an endpoint that is not known. */
const maxUnknownBytes = 1024 * 1024;

/** One HTTP request and its response while they pass. */
export class MessageReader {
  readonly method: string;
  readonly target: string;
  readonly path: string;
  readonly startedAtMs: number;
  readonly requestHead: HttpHead;
  responseHead: HttpHead | null = null;
  readonly #dialect: DialectReader | null;
  readonly #requestBody: Body;
  readonly #responseBody: Body;
  #firstByteAtMs: number | null = null;
  #reply: ReplyReader | null = null;
  #stream: SseReply | null = null;

  constructor(head: HttpHead, atMs: number) {
    [this.method, this.target] = head.startLine;
    this.path = this.target.split('?')[0] ?? '';
    this.startedAtMs = atMs;
    this.requestHead = head;
    this.#dialect = this.method === 'POST' ? dialectOf(this.path) : null;
    const isKnown = this.#dialect?.id !== 'other';
    this.#requestBody = new Body(isKnown ? maxRequestBytes : maxUnknownBytes);
    this.#responseBody = new Body(isKnown ? maxReplyBytes : maxUnknownBytes);
  }

  get status(): number | null {
    return this.responseHead === null ? null : Number(this.responseHead.startLine[1]);
  }

  addRequest(bytes: Buffer): void {
    this.#requestBody.add(bytes, this.#dialect !== null);
  }

  begin(head: HttpHead, atMs: number): void {
    this.responseHead = head;
    this.#firstByteAtMs = atMs;
    if (this.#dialect === null) return;
    this.#reply = new ReplyReader(this.#dialect, this.#isStream() ? 'sse' : 'body', this.startedAtMs);
    if (this.#isStream() && headerOf(head, 'content-encoding') === null) this.#stream = new SseReply(this.#reply);
  }

  /** Returns the characters that the reply has brought so far. */
  addResponse(bytes: Buffer, atMs: number): number {
    this.#responseBody.add(bytes, this.#reply !== null && this.#stream === null);
    this.#stream?.push(bytes, atMs);
    return this.#reply?.characters ?? 0;
  }

  /** The same for pieces at these places, in pairs. The events of a stream come in one each. */
  addResponses(bytes: Buffer, places: readonly number[], atMs: number): number {
    if (this.#stream === null) {
      eachPlace(places, (start, end) => void this.addResponse(bytes.subarray(start, end), atMs));
    } else {
      eachPlace(places, (start, end) => this.#responseBody.pass(end - start));
      this.#stream.pushAll(bytes, places, atMs);
    }
    return this.#reply?.characters ?? 0;
  }

  /** What was read, once it has ended, or was `cut` before its end. */
  finish(endedAtMs: number, cut: boolean): { exchange: CapturedExchange } | { side: SideRequest } {
    const requestSizeBytes = this.#requestBody.sizeBytes;
    const responseSizeBytes = this.#responseBody.sizeBytes;
    if (this.#dialect === null) {
      const { startedAtMs: atMs, method, path, status } = this;
      const kind = sideKind(method, path) ?? 'lookup';
      return { side: { atMs, method, path, kind, status, sizeBytes: requestSizeBytes + responseSizeBytes } };
    }
    const { reply, json, reader } = this.#finishReply(this.#dialect, endedAtMs, cut);
    const requestBody = this.#requestBody.bytes(this.requestHead);
    return {
      exchange: {
        ...inOrder({ startedAtMs: this.startedAtMs, firstByteAtMs: this.#firstByteAtMs, endedAtMs }),
        method: this.method,
        target: this.target,
        requestHead: this.requestHead,
        responseHead: this.responseHead,
        request: requestBody === null ? null : (parseJson(requestBody.toString('utf8')) ?? null),
        requestBody,
        requestSizeBytes,
        responseSizeBytes,
        status: this.status,
        dialect: this.#dialect.id,
        transport: this.responseHead === null ? 'other' : this.#isStream() ? 'sse' : json ? 'json' : 'other',
        reply,
        events: reader?.events ?? null,
      },
    };
  }

  #finishReply(
    dialect: DialectReader,
    endedAtMs: number,
    cut: boolean,
  ): { reply: Reply; json: boolean; reader: ReplyReader | null } {
    const reader = this.#reply;
    if (reader === null || this.responseHead === null) {
      return {
        reply: failed(dialect.reply().finish(true), 'The connection closed before a reply.'),
        json: false,
        reader,
      };
    }
    const json = this.#stream === null && this.#readBody(reader, this.responseHead, endedAtMs);
    this.#stream?.end(endedAtMs);
    const reply = reader.finish(cut || this.#isStream());
    const refused = this.status !== null && this.status >= 400 ? `HTTP ${this.status}` : null;
    // A stream is read as it comes, however long it is.
    const unread =
      this.#stream === null && this.#responseBody.tooLarge
        ? `The reply has more than the ${this.#responseBody.maxBytes} bytes that are kept.`
        : null;
    return { json, reader, reply: failed(reply, reply.error ?? errorMessageOf(reply.json) ?? refused ?? unread) };
  }

  /** A body that could not be read as it came: JSON, and what is compressed. Returns whether it was JSON. */
  #readBody(reader: ReplyReader, head: HttpHead, endedAtMs: number): boolean {
    const bytes = this.#responseBody.bytes(head);
    if (bytes === null) {
      reader.events.letGo();
      return false;
    }
    if (reader.events.framing === 'sse') {
      const stream = new SseReply(reader);
      stream.push(bytes, endedAtMs);
      stream.end(endedAtMs);
      return false;
    }
    reader.events.push(bytes.toString('latin1'), endedAtMs);
    const text = bytes.toString('utf8');
    const value = parseJson(text);
    if (value !== undefined) reader.whole(value);
    else if (this.#dialect?.id === 'other') readLines(text, reader);
    return value !== undefined && value !== null;
  }

  #isStream(): boolean {
    const type = this.responseHead === null ? null : headerOf(this.responseHead, 'content-type');
    return type?.toLowerCase().startsWith('text/event-stream') ?? false;
  }
}

/** A local model's own API sends one JSON text per line. */
function readLines(text: string, reader: ReplyReader): void {
  for (const line of text.split('\n')) {
    if (line.startsWith('{')) reader.take(parseJson(line));
  }
}

function failed(reply: Reply, error: string | null): Reply {
  return { ...reply, error };
}

/** Bytes of a message's body as they pass, kept up to a limit. */
class Body {
  readonly maxBytes: number;
  #chunks: Buffer[] = [];
  #sizeBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** All that passed, as transferred. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get tooLarge(): boolean {
    return this.#sizeBytes > this.maxBytes;
  }

  /** Bytes that nobody needs again. */
  pass(sizeBytes: number): void {
    this.#sizeBytes += sizeBytes;
  }

  add(bytes: Buffer, kept: boolean): void {
    this.pass(bytes.length);
    if (this.tooLarge) this.#chunks = [];
    else if (kept) this.#chunks.push(Buffer.from(bytes));
  }

  /** Decoded bytes; empty when they cannot be decoded, null when there were too many. */
  bytes(head: HttpHead): Buffer | null {
    if (this.tooLarge) return null;
    try {
      return decodeContent(Buffer.concat(this.#chunks), headerOf(head, 'content-encoding'));
    } catch {
      return Buffer.alloc(0);
    }
  }
}
