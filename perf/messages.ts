/** One HTTP/1.1 message off a connection: head with the empty line, body without its framing. */
export interface Message {
  readonly head: string;
  readonly body: string;
}

/**
 * Cuts a byte stream into messages with as little work as possible: it runs on both ends of every measured request.
 * Knows Content-Length and chunked, the two framings that the proxies under test send.
 */
export class MessageCutter {
  readonly #listener: (message: Message) => void;
  #text = '';

  constructor(listener: (message: Message) => void) {
    this.#listener = listener;
  }

  push(chunk: Buffer): void {
    this.#text = this.#text === '' ? chunk.toString('latin1') : this.#text + chunk.toString('latin1');
    for (;;) {
      const headEnd = this.#text.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const body = bodyAt(this.#text, headEnd + 4);
      if (body === null) return;
      const head = this.#text.slice(0, headEnd + 4);
      this.#text = this.#text.slice(body.end);
      this.#listener({ head, body: body.text });
    }
  }
}

function bodyAt(text: string, start: number): { text: string; end: number } | null {
  const head = text.slice(0, start);
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return chunkedAt(text, start);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return text.length < start + length ? null : { text: text.slice(start, start + length), end: start + length };
}

function chunkedAt(text: string, start: number): { text: string; end: number } | null {
  // Most of the time it is not whole yet: the end is looked for before the chunks are walked.
  if (!text.includes('\r\n0\r\n', start - 2)) return null;
  const parts: string[] = [];
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (text.length < next) return null;
    if (size === 0) return { text: parts.join(''), end: next };
    parts.push(text.slice(lineEnd + 2, next - 2));
    at = next;
  }
}
