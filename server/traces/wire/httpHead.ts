/** The first line and headers of an HTTP/1.1 message, as they stood on the wire. */
export interface HttpHead {
  /** Request: method, target, version. Response: version, status, reason. */
  readonly startLine: readonly [string, string, string];
  /** In order, names as written. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly sizeBytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'untilClose' };

/** What is on the wire is not HTTP/1.1, or is so in a way that two parsers could read differently. */
export class HttpSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'HttpSyntaxError';
  }
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Parses a head without its closing empty line, a character per byte. Strict (RFC 9112): folded lines and bare names are
 * refused.
 */
export function parseHead(text: string, kind: 'request' | 'response'): HttpHead {
  const [first = '', ...lines] = text.split(/\r?\n/);
  const match =
    kind === 'request'
      ? /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~\x80-\xff]+) (HTTP\/1\.[01])$/.exec(first)
      : /^(HTTP\/1\.[01]) (\d{3})(?: (.*))?$/.exec(first);
  if (match === null) throw new HttpSyntaxError(`Not an HTTP/1.1 ${kind}: ${JSON.stringify(first.slice(0, 60))}`);
  const headers = lines.map(line => {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    if (!token.test(name)) throw new HttpSyntaxError(`Not a header: ${JSON.stringify(line.slice(0, 60))}`);
    return [name, withoutBlanks(line, colon + 1)] as const;
  });
  return { startLine: [match[1] ?? '', match[2] ?? '', match[3] ?? ''], headers };
}

/**
 * What stands from a place on, without the blanks and tabs around it (RFC 9110 §5.6.3). JavaScript's own trim takes more
 * for blank: also the byte A0, with which letters such as à end in UTF-8.
 */
function withoutBlanks(text: string, from = 0): string {
  let start = from;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The value of a header; several are joined by a comma, as RFC 9110 §5.3 has it. Null when absent. */
export function headerOf(head: HttpHead, name: string): string | null {
  let joined: string | null = null;
  for (const [key, value] of head.headers) {
    if (key.length !== name.length || key.toLowerCase() !== name) continue;
    joined = joined === null ? value : `${joined}, ${value}`;
  }
  return joined;
}

/** How a message's body ends (RFC 9112 §6.3). Both lengths at once are refused: that is how requests are smuggled. */
export function framingOf(head: HttpHead, kind: 'request' | 'response', requestMethod: string | null): BodyFraming {
  if (kind === 'response') {
    const status = Number(head.startLine[1]);
    if (requestMethod === 'HEAD' || status < 200 || status === 204 || status === 304) return { kind: 'none' };
  }
  const transfer = headerOf(head, 'transfer-encoding');
  const length = headerOf(head, 'content-length');
  if (transfer !== null) {
    if (length !== null) throw new HttpSyntaxError('Both Transfer-Encoding and Content-Length.');
    if (transfer.toLowerCase() !== 'chunked') throw new HttpSyntaxError(`Transfer-Encoding: ${transfer}`);
    return { kind: 'chunked' };
  }
  if (length !== null) {
    const sizes = new Set(length.split(',').map(part => withoutBlanks(part)));
    const [size = ''] = sizes;
    if (sizes.size !== 1 || !/^\d{1,15}$/.test(size)) throw new HttpSyntaxError(`Content-Length: ${length}`);
    return { kind: 'length', sizeBytes: Number(size) };
  }
  return kind === 'request' ? { kind: 'none' } : { kind: 'untilClose' };
}
