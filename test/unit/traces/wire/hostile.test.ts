import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeContent } from '../../../../server/traces/wire/contentCoding.ts';
import { HttpParser } from '../../../../server/traces/wire/httpParser.ts';
import { SseParser } from '../../../../server/traces/wire/sse.ts';
import { WebSocketReader } from '../../../../server/traces/wire/webSocket.ts';
import { anOrigin, aRecorder, aReply, said, sse, wireOf } from '../recordedTraffic.ts';

const mebibyte = 1024 * 1024;

/** Cuts bytes at the given places, in whatever order they are. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map(place => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length));
}

const places = fc.array(fc.nat(100_000), { maxLength: 12 });

function frame(payload: Buffer, first: number, mask: Buffer | null): Buffer {
  const size = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10);
  size[0] = first;
  size[1] = (mask === null ? 0 : 0x80) | (payload.length < 126 ? payload.length : payload.length < 65_536 ? 126 : 127);
  if (size.length === 4) size.writeUInt16BE(payload.length, 2);
  if (size.length === 10) size.writeBigUInt64BE(BigInt(payload.length), 2);
  const masked = mask === null ? payload : Buffer.from(payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0)));
  return Buffer.concat([size, ...(mask === null ? [] : [mask]), masked]);
}

describe('readers give the same wherever the bytes are cut', () => {
  it('for event streams', () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }).map(text => `data: ${text.replaceAll(/[\r\n]/g, ' ')}`),
      fc.constantFrom('', '', ': c', 'event: e', 'data', 'id: 1', 'data:x'),
    );
    const end = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(fc.array(fc.tuple(line, end), { maxLength: 12 }), places, (lines, cuts) => {
        const bytes = Buffer.from(lines.flat().join(''));
        const read = (pieces: Buffer[]) => {
          const events: unknown[] = [];
          const parser = new SseParser(event => void events.push(event));
          for (const piece of pieces) parser.push(piece);
          return events;
        };
        expect(read(cutAt(bytes, cuts))).toEqual(read([bytes]));
      }),
    );
  });

  it('for WebSocket frames', () => {
    const part = fc.record({
      text: fc.string({ maxLength: 300 }),
      masked: fc.boolean(),
      pieces: fc.integer({ min: 1, max: 3 }),
      ping: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), places, (parts, cuts) => {
        const bytes = Buffer.concat(
          parts.flatMap(({ text, masked, pieces, ping }) => {
            const payload = Buffer.from(text);
            const size = Math.ceil(payload.length / pieces);
            const mask = masked ? Buffer.from([9, 8, 7, 6]) : null;
            return Array.from({ length: pieces }, (_, index) => {
              const first = (index === pieces - 1 ? 0x80 : 0) | (index === 0 ? 1 : 0);
              const own = frame(payload.subarray(index * size, (index + 1) * size), first, mask);
              return ping ? Buffer.concat([frame(Buffer.from('p'), 0x89, null), own]) : own;
            });
          }),
        );
        const messages: string[] = [];
        const reader = new WebSocketReader(
          { compressed: false, noContextTakeover: false },
          message => void messages.push(message),
        );
        for (const piece of cutAt(bytes, cuts)) reader.push(piece);
        expect(messages).toEqual(parts.map(({ text }) => text));
      }),
    );
  });

  it('for HTTP messages', () => {
    const message = fc.record({
      body: fc.uint8Array({ maxLength: 200 }),
      chunked: fc.boolean(),
      chunk: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), places, (sent, cuts) => {
        const bytes = Buffer.concat(
          sent.map(({ body, chunked, chunk }) => httpMessage(Buffer.from(body), chunked ? chunk : null)),
        );
        const bodies: Buffer[] = [];
        let open: Buffer[] = [];
        const parser = new HttpParser('request', {
          head: () => {
            open = [];
          },
          body: part => void open.push(Buffer.from(part)),
          end: () => void bodies.push(Buffer.concat(open)),
          tunnelled: () => undefined,
        });
        for (const piece of cutAt(bytes, cuts)) parser.push(piece);
        expect(bodies.map(body => body.toString('hex'))).toEqual(
          sent.map(({ body }) => Buffer.from(body).toString('hex')),
        );
      }),
    );
  });

  it('and any bytes at all are read or refused, never crashed on', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), noise => {
        const bytes = Buffer.from(noise);
        new SseParser(() => undefined).push(bytes);
        for (const read of [
          () => new WebSocketReader({ compressed: true, noContextTakeover: false }, () => undefined).push(bytes),
          () => decodeContent(bytes, 'gzip'),
        ]) {
          try {
            read();
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        }
      }),
    );
  });
});

function httpMessage(body: Buffer, chunk: number | null): Buffer {
  if (chunk === null)
    return Buffer.concat([Buffer.from(`POST / HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n`), body]);
  const chunks = Array.from({ length: Math.ceil(body.length / chunk) }, (_, index) => {
    const part = body.subarray(index * chunk, (index + 1) * chunk);
    return Buffer.concat([Buffer.from(`${part.length.toString(16)};x=y\r\n`), part, Buffer.from('\r\n')]);
  });
  const head = Buffer.from('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n');
  return Buffer.concat([head, ...chunks, Buffer.from('0\r\nTrailer: x\r\n\r\n')]);
}

describe('large and hostile input', () => {
  const request = { model: 'm', input: [said('user', 'hi')] };
  const headers = { 'thread-id': 'big' };

  it('one event of ten megabytes is an exchange', () => {
    const { record, store } = aRecorder();
    const text = 'words and more words '.repeat(500_000);
    record({ request, headers, response: aReply([said('assistant', text)]) });
    expect(store.conversation('big').at(-1)?.text.length).toBe(text.length);
  });

  it('so are a hundred thousand tiny ones', () => {
    const { record, store } = aRecorder();
    const deltas = Array.from({ length: 100_000 }, () => ({
      type: 'response.output_text.delta',
      output_index: 0,
      delta: 'a ',
    }));
    const item = { type: 'message', role: 'assistant', content: [] };
    record({
      request,
      headers,
      response: sse({ type: 'response.output_item.added', output_index: 0, item }, ...deltas),
    });
    expect(store.conversation('big').at(-1)?.text).toBe('a '.repeat(100_000));
    expect(store.exchangesOfSession('big')[0]?.error).toContain('ended before');
  });

  it('JSON nested beyond all use breaks nothing', () => {
    const { record, accept, store, events } = aRecorder();
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const body = Buffer.from(`{"model":"m","input":[{"role":"user","content":${deep}}]}`);
    const head = `POST /v1/responses HTTP/1.1\r\nthread-id: big\r\nContent-Length: ${body.length}\r\n\r\n`;
    const { down } = wireOf({ request, response: aReply([]) });
    accept({ kind: 'open', connection: 900, origin: anOrigin() });
    accept({
      kind: 'bytes',
      connection: 900,
      direction: 'up',
      bytes: Buffer.concat([Buffer.from(head), body]),
      atMs: 1,
    });
    accept({ kind: 'bytes', connection: 900, direction: 'down', bytes: down, atMs: 2 });
    accept({ kind: 'close', connection: 900, atMs: 3 });
    const kept = store.exchangesOfSession('big').length;
    expect(kept + events.filter(event => event.kind === 'uncaptured').length).toBeGreaterThan(0);
    expect(record({ request, headers: { 'thread-id': 'after' }, response: aReply([]) })).toBe('after');
  });

  it('bytes that are no UTF-8 are kept as what can be read of them', () => {
    const { accept, store } = aRecorder();
    const { up } = wireOf({ request, response: '', headers });
    const data = Buffer.concat([
      Buffer.from(
        'data: {"type":"response.output_item.done","output_index":0,"item":{"type":"message","role":"assistant","content":"a',
      ),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('b"}}\n\n'),
    ]);
    const head = Buffer.from(
      `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: ${data.length}\r\n\r\n`,
    );
    accept({ kind: 'open', connection: 1, origin: anOrigin() });
    accept({ kind: 'bytes', connection: 1, direction: 'up', bytes: up, atMs: 1 });
    accept({ kind: 'bytes', connection: 1, direction: 'down', bytes: Buffer.concat([head, data]), atMs: 2 });
    expect(store.conversation('big').at(-1)?.text).toMatch(/^a\ufffd+b$/);
  });

  it.each([
    ['gzip', gzipSync],
    ['br', (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ['zstd', zstdCompressSync],
  ])('a %s bomb is refused', (coding, compress) => {
    expect(() => decodeContent(compress(Buffer.alloc(65 * mebibyte)), coding)).toThrow();
    expect(() => decodeContent(Buffer.from('x'), `${coding}, `.repeat(10))).toThrow('codings');
  });

  it('a frame of ten megabytes in small pieces is put together once', () => {
    const messages: string[] = [];
    const reader = new WebSocketReader(
      { compressed: false, noContextTakeover: false },
      message => void messages.push(message),
    );
    const bytes = frame(Buffer.alloc(10 * mebibyte, 0x61), 0x81, Buffer.from([1, 2, 3, 4]));
    for (let at = 0; at < bytes.length; at += 1000) reader.push(bytes.subarray(at, at + 1000));
    expect(messages.map(message => message.length)).toEqual([10 * mebibyte]);
  });

  it('a message of endless pieces, and one too large, end the recording of their socket', () => {
    const reader = () => new WebSocketReader({ compressed: false, noContextTakeover: false }, () => undefined);
    const empty = frame(Buffer.alloc(0), 0, null);
    expect(() =>
      reader().push(Buffer.concat([frame(Buffer.alloc(0), 1, null), ...Array(100_001).fill(empty)])),
    ).toThrow('too large');
    const huge = frame(Buffer.alloc(0), 0x81, null);
    huge[1] = 127;
    expect(() => reader().push(Buffer.concat([huge, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0])]))).toThrow('too large');
  });
});
