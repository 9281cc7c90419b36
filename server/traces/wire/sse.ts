import { StringDecoder } from 'node:string_decoder';

/** Longest single event that is kept; a longer one is dropped, the stream goes on. */
const maxEventBytes = 64 * 1024 * 1024;

export interface SseEvent {
  readonly event: string | null;
  readonly data: string;
}

/** Incremental parser of `text/event-stream` (WHATWG HTML §9.2), fed in pieces cut at any byte. */
export class SseParser {
  readonly #listener: (event: SseEvent) => void;
  readonly #decoder = new StringDecoder('utf8');
  #text: string[] = [];
  #textLength = 0;
  #event: string | null = null;
  #data: string[] = [];
  #endedWithCr = false;

  constructor(listener: (event: SseEvent) => void) {
    this.#listener = listener;
  }

  push(bytes: Buffer): void {
    const text = this.#decoder.write(bytes);
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code !== 0x0a && code !== 0x0d) {
        this.#endedWithCr = false;
        continue;
      }
      // The second half of a CR LF is no line of its own, also when the two came in different pieces.
      if (code === 0x0a && this.#endedWithCr) {
        this.#endedWithCr = false;
        from = at + 1;
        continue;
      }
      this.#endedWithCr = code === 0x0d;
      this.#keep(text.slice(from, at));
      from = at + 1;
      this.#line(this.#text.join(''));
      this.#text = [];
      this.#textLength = 0;
    }
    this.#keep(text.slice(from));
  }

  #keep(text: string): void {
    this.#textLength += text.length;
    if (text !== '' && this.#textLength <= maxEventBytes) this.#text.push(text);
  }

  #line(line: string): void {
    if (line === '') {
      if (this.#data.length > 0) this.#listener({ event: this.#event, data: this.#data.join('\n') });
      this.#event = null;
      this.#data = [];
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1);
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
  }
}
