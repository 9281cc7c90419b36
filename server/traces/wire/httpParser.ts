import { type BodyFraming, framingOf, type HttpHead, HttpSyntaxError, parseHead } from './httpHead.ts';

/** Longest head that is taken: agents put whole JSON documents into single headers. */
const maxHeadBytes = 256 * 1024;
const maxChunkLine = 4096;

export interface HttpListener {
  /** The head's own bytes with its closing empty line, before `head`. */
  rawHead?(bytes: Buffer): void;
  head(head: HttpHead): void;
  /** Bytes of the body without its framing. Valid during the call only. */
  body(bytes: Buffer): void;
  /** Instead of `body`, for chunks that came together: each is what stands from an even place to the odd one behind it. */
  bodies?(bytes: Buffer, places: readonly number[]): void;
  /** The message is complete. */
  end(): void;
  /** Bytes of the body with its framing, for who passes them on. */
  framed?(bytes: Buffer): void;
  /** Bytes after the protocol was switched (101), or after `tunnel()`. */
  tunnelled(bytes: Buffer): void;
}

type State = 'head' | 'length' | 'chunkLine' | 'chunk' | 'chunkEnd' | 'trailer' | 'untilClose' | 'tunnel';

/**
 * Incremental HTTP/1.1 parser of one direction of a connection: keep-alive, pipelining, chunked bodies, 1xx.
 * Fed in pieces cut anywhere. @throws HttpSyntaxError, after which it must not be fed again.
 */
export class HttpParser {
  readonly #kind: 'request' | 'response';
  readonly #listener: HttpListener;
  readonly #methodOfNext: () => string | null;
  #state: State = 'head';
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #remaining = 0;

  /** `methodOfNext` names the request that the next final response answers: HEAD has no body. */
  constructor(kind: 'request' | 'response', listener: HttpListener, methodOfNext: () => string | null = () => null) {
    this.#kind = kind;
    this.#listener = listener;
    this.#methodOfNext = methodOfNext;
  }

  /** True between messages: nothing of a next one has come. */
  get idle(): boolean {
    return this.#state === 'head' && this.#pendingBytes === 0;
  }

  /** From here on the bytes are no longer HTTP. */
  tunnel(): void {
    this.#state = 'tunnel';
  }

  push(input: Buffer): void {
    let rest = input;
    while (rest.length > 0) rest = this.#step(rest);
  }

  /** The sender has closed; a body that lasts until then is complete now. False when a message was cut off. */
  finish(): boolean {
    if (this.#state === 'untilClose') {
      this.#state = 'head';
      this.#listener.end();
      return true;
    }
    return this.idle || this.#state === 'tunnel';
  }

  #step(input: Buffer): Buffer {
    switch (this.#state) {
      case 'head':
        return this.#readHead(input);
      case 'tunnel':
        this.#listener.tunnelled(input);
        return input.subarray(input.length);
      case 'untilClose':
        this.#pass(input, true);
        return input.subarray(input.length);
      case 'chunkLine':
        return this.#readWholeChunks(input) ?? this.#readFramingLine(input);
      case 'length':
      case 'chunk':
        return this.#readBody(input);
      default:
        return this.#readFramingLine(input);
    }
  }

  #readHead(input: Buffer): Buffer {
    // Empty lines before a request are to be skipped (RFC 9112 §2.2).
    if (this.#pendingBytes === 0 && (input[0] === 0x0d || input[0] === 0x0a)) return input.subarray(1);
    const before = this.#pendingBytes === 0 ? input : Buffer.concat([...this.#pending, input]);
    const end = headEnd(before, Math.max(0, this.#pendingBytes - 3));
    if (end === null) {
      if (before.length > maxHeadBytes) throw new HttpSyntaxError(`Head of more than ${maxHeadBytes} bytes.`);
      this.#pending = [Buffer.from(before)];
      this.#pendingBytes = before.length;
      return input.subarray(input.length);
    }
    this.#clear();
    this.#listener.rawHead?.(before.subarray(0, end.next));
    const head = parseHead(before.toString('latin1', 0, end.text), this.#kind);
    this.#begin(head);
    return before.subarray(end.next);
  }

  #begin(head: HttpHead): void {
    const status = this.#kind === 'response' ? Number(head.startLine[1]) : 0;
    const interim = status >= 100 && status < 200 && status !== 101;
    const framing: BodyFraming = interim
      ? { kind: 'none' }
      : framingOf(head, this.#kind, this.#kind === 'response' ? this.#methodOfNext() : null);
    this.#state =
      framing.kind === 'length'
        ? 'length'
        : framing.kind === 'chunked'
          ? 'chunkLine'
          : framing.kind === 'untilClose'
            ? 'untilClose'
            : 'head';
    this.#remaining = framing.kind === 'length' ? framing.sizeBytes : 0;
    this.#listener.head(head);
    if (interim) return;
    if (status === 101) this.#state = 'tunnel';
    else if (framing.kind === 'none' || (framing.kind === 'length' && framing.sizeBytes === 0)) this.#complete();
  }

  #readBody(input: Buffer): Buffer {
    const part = input.subarray(0, this.#remaining);
    this.#remaining -= part.length;
    this.#pass(part, true);
    if (this.#remaining === 0) {
      if (this.#state === 'chunk') this.#state = 'chunkEnd';
      else this.#complete();
    }
    return input.subarray(part.length);
  }

  /** Chunks that are there from their size to their closing CR LF, as most are. Null when the first is not. */
  #readWholeChunks(input: Buffer): Buffer | null {
    if (this.#pendingBytes > 0) return null;
    const places: number[] = [];
    let at = 0;
    for (let line = chunkLineAt(input, 0); line !== null; line = chunkLineAt(input, at)) {
      places.push(line.start, line.end);
      at = line.end + 2;
    }
    if (at === 0) return null;
    if (this.#listener.bodies !== undefined) this.#listener.bodies(input, places);
    else eachPlace(places, (start, end) => this.#listener.body(input.subarray(start, end)));
    this.#listener.framed?.(input.subarray(0, at));
    return input.subarray(at);
  }

  #readFramingLine(input: Buffer): Buffer {
    const newline = input.indexOf(0x0a);
    const part = newline < 0 ? input : input.subarray(0, newline + 1);
    this.#pass(part, false);
    // As a rule a line comes whole; a stream has two of them for each of its events.
    if (newline >= 0 && this.#pendingBytes === 0 && part.length <= maxChunkLine) {
      this.#endFramingLine(framingText(part));
      return input.subarray(part.length);
    }
    this.#pending.push(Buffer.from(part));
    this.#pendingBytes += part.length;
    if (this.#pendingBytes > maxChunkLine) throw new HttpSyntaxError('Chunk line or trailer too long.');
    if (newline >= 0) this.#endFramingLine(framingText(Buffer.concat(this.#pending)));
    return input.subarray(part.length);
  }

  #endFramingLine(line: string): void {
    if (this.#pendingBytes > 0) this.#clear();
    if (this.#state === 'chunkEnd') {
      if (line !== '') throw new HttpSyntaxError('A chunk is longer than it says.');
      this.#state = 'chunkLine';
    } else if (this.#state === 'trailer') {
      if (line === '') this.#complete();
    } else {
      const size = /^([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?$/.exec(line)?.[1];
      if (size === undefined) throw new HttpSyntaxError(`Chunk size: ${JSON.stringify(line.slice(0, 30))}`);
      this.#remaining = Number.parseInt(size, 16);
      this.#state = this.#remaining === 0 ? 'trailer' : 'chunk';
    }
  }

  #complete(): void {
    this.#state = 'head';
    this.#listener.end();
  }

  #pass(bytes: Buffer, content: boolean): void {
    if (content) this.#listener.body(bytes);
    this.#listener.framed?.(bytes);
  }

  #clear(): void {
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}

/** A line of the framing without what ends it. No other bytes than these count as space. */
function framingText(line: Buffer): string {
  return line.toString('latin1').replace(/[ \t\r\n]+$/, '');
}

/** Goes through places that stand in pairs. */
export function eachPlace(places: readonly number[], take: (start: number, end: number) => void): void {
  for (let index = 0; index < places.length; index += 2) take(places[index] as number, places[index + 1] as number);
}

/** Where the content of a whole chunk stands whose size line begins here; null when it is not whole, or the last one. */
function chunkLineAt(input: Buffer, from: number): { start: number; end: number } | null {
  let sizeBytes = 0;
  let at = from;
  for (let digit = hexDigit(input[at]); digit >= 0 && at < from + 7; digit = hexDigit(input[++at])) {
    sizeBytes = sizeBytes * 16 + digit;
  }
  const start = at + 2;
  const end = start + sizeBytes;
  const isWhole = sizeBytes > 0 && isLineEnd(input, at) && isLineEnd(input, end);
  return isWhole ? { start, end } : null;
}

function hexDigit(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function isLineEnd(input: Buffer, at: number): boolean {
  return input[at] === 0x0d && input[at + 1] === 0x0a;
}

/** Where the head's text ends and where the body begins. */
export function headEnd(bytes: Buffer, from: number): { text: number; next: number } | null {
  for (let at = bytes.indexOf(0x0a, from); at >= 0; at = bytes.indexOf(0x0a, at + 1)) {
    const previous = bytes[at - 1] === 0x0d ? at - 2 : at - 1;
    if (previous >= 0 && bytes[previous] === 0x0a) {
      return { text: bytes[previous - 1] === 0x0d ? previous - 1 : previous, next: at + 1 };
    }
  }
  return null;
}
