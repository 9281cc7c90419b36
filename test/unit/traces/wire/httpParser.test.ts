import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HttpHead, headerOf } from '../../../../server/traces/wire/httpHead.ts';
import { HttpParser } from '../../../../server/traces/wire/httpParser.ts';

interface Message {
  head: HttpHead;
  body: string;
  complete: boolean;
}

function parse(kind: 'request' | 'response', pieces: readonly Buffer[], methods: string[] = []) {
  const messages: Message[] = [];
  let framed = '';
  let tunnelled = '';
  const parser = new HttpParser(
    kind,
    {
      head: head => void messages.push({ head, body: '', complete: false }),
      body: bytes => {
        const last = messages.at(-1);
        if (last !== undefined) last.body += bytes.toString('latin1');
      },
      end: () => {
        const last = messages.at(-1);
        if (last !== undefined) last.complete = true;
      },
      framed: bytes => {
        framed += bytes.toString('latin1');
      },
      tunnelled: bytes => {
        tunnelled += bytes.toString('latin1');
      },
    },
    () => methods.shift() ?? null,
  );
  for (const piece of pieces) parser.push(piece);
  return { parser, messages, framed: () => framed, tunnelled: () => tunnelled };
}

const pipelined =
  'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello' +
  'POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nwiki\r\n5\r\npedia\r\n0\r\nTrailer: t\r\n\r\n' +
  'GET /c HTTP/1.1\r\n\r\n';

describe('the HTTP parser', () => {
  it('reads pipelined messages the same wherever they are cut', () => {
    const bytes = Buffer.from(pipelined);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { messages, parser } = parse('request', [bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(messages.map(({ head, body, complete }) => [head.startLine[1], body, complete])).toEqual([
        ['/a', 'hello', true],
        ['/b', 'wikipedia', true],
        ['/c', '', true],
      ]);
      expect(parser.idle).toBe(true);
    }
  });

  it('reads byte by byte, and hands on the framing of bodies as it came', () => {
    const { messages, framed } = parse(
      'request',
      [...Buffer.from(pipelined)].map(byte => Buffer.from([byte])),
    );
    expect(messages).toHaveLength(3);
    expect(framed()).toBe('hello4;x=y\r\nwiki\r\n5\r\npedia\r\n0\r\nTrailer: t\r\n\r\n');
  });

  it('skips interim responses and gives HEAD, 204 and 304 no body', () => {
    const text =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n' +
      'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n' +
      'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n';
    const { messages } = parse('response', [Buffer.from(text)], ['HEAD', 'GET', 'GET']);
    expect(messages.map(({ head, complete }) => [head.startLine[1], complete])).toEqual([
      ['100', false],
      ['103', false],
      ['200', true],
      ['204', true],
      ['304', true],
    ]);
  });

  it('takes a body without length until the connection closes', () => {
    const { parser, messages } = parse('response', [Buffer.from('HTTP/1.1 200 OK\r\n\r\nall of')]);
    parser.push(Buffer.from(' this'));
    expect(messages[0]).toMatchObject({ body: 'all of this', complete: false });
    expect(parser.finish()).toBe(true);
    expect(messages[0]?.complete).toBe(true);
  });

  it('knows a message that was cut off', () => {
    const { parser } = parse('response', [Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc')]);
    expect(parser.finish()).toBe(false);
  });

  it('hands on what follows 101 as it is', () => {
    const { tunnelled } = parse('response', [
      Buffer.from('HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n\x81\x00HTTP', 'latin1'),
    ]);
    expect(tunnelled()).toBe('\x81\x00HTTP');
  });

  it('joins a header that comes several times and keeps the case of names', () => {
    const { messages } = parse('response', [
      Buffer.from('HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:2\r\nContent-Length: 0\r\n\r\n'),
    ]);
    const head = messages[0]?.head;
    expect(head?.headers.map(([name]) => name)).toEqual(['X-A', 'x-a', 'Content-Length']);
    expect(head && headerOf(head, 'x-a')).toBe('1, 2');
  });

  it('takes only blanks and tabs off a value, not the bytes of other letters that JavaScript counts as blank', () => {
    const text = 'GET /files/voil\u00e0 HTTP/1.1\r\nX-Directory: \t/home/a/voil\u00e0 \t\r\nX-Empty: \t \r\n\r\n';
    const { messages } = parse('request', [Buffer.from(text)]);
    const bytesOf = (value: string | null | undefined) => Buffer.from(value ?? '', 'latin1').toString();
    const head = messages[0]?.head;
    expect(bytesOf(head?.startLine[1])).toBe('/files/voil\u00e0');
    expect(bytesOf(head && headerOf(head, 'x-directory'))).toBe('/home/a/voil\u00e0');
    expect(head && headerOf(head, 'x-empty')).toBe('');
  });

  it.each([
    ['both lengths', 'POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['two different lengths', 'POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n'],
    ['a signed length', 'POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\n'],
    ['a coding after chunked', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n'],
    ['a coding behind a byte that is no blank', 'POST / HTTP/1.1\r\nTransfer-Encoding: \xa0chunked\r\n\r\n'],
    ['a coding behind another control character', 'POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n'],
    ['a length behind a byte that is no blank', 'POST / HTTP/1.1\r\nContent-Length: 3,\xa03\r\n\r\n'],
    ['a target with a control character', 'GET /a\x0bHTTP/1.1 HTTP/1.1\r\n\r\n'],
    ['a folded header', 'GET / HTTP/1.1\r\nX: 1\r\n 2\r\n\r\n'],
    ['a space before the colon', 'GET / HTTP/1.1\r\nX : 1\r\n\r\n'],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a chunk longer than it says', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n'],
    ['a chunk size that is none', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n'],
    [
      'a byte that is no blank behind a chunk size',
      'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\xa0\r\nab\r\n',
    ],
    ['a head without end', `GET / HTTP/1.1\r\nX: ${'a'.repeat(300_000)}`],
  ])('refuses %s', (_case, text) => {
    expect(() => parse('request', [Buffer.from(text, 'latin1')])).toThrow();
  });

  it('survives any bytes: a syntax error, or no error at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, response) => {
        try {
          parse(response ? 'response' : 'request', [Buffer.from(noise)]);
        } catch (error) {
          expect((error as Error).name).toBe('HttpSyntaxError');
        }
      }),
    );
  });
});
