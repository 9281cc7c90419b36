import {
  brotliCompressSync,
  constants,
  createDeflateRaw,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeContent } from '../../../../server/traces/wire/contentCoding.ts';
import { type SseEvent, SseParser } from '../../../../server/traces/wire/sse.ts';
import { WebSocketReader, webSocketOptions } from '../../../../server/traces/wire/webSocket.ts';

describe('the event stream parser', () => {
  const text =
    ': comment\r\nevent: one\r\ndata: {"a":"ü€😀"}\r\n\r\n' +
    'data: two\ndata: lines\n\nid: 7\nevent: empty\n\ndata:tight\r\rdata: never ended';

  it('reads the same wherever it is cut', () => {
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const events: SseEvent[] = [];
      const parser = new SseParser(event => void events.push(event));
      parser.push(bytes.subarray(0, cut));
      parser.push(bytes.subarray(cut));
      expect(events).toEqual([
        { event: 'one', data: '{"a":"ü€😀"}' },
        { event: null, data: 'two\nlines' },
        { event: null, data: 'tight' },
      ]);
    }
  });
});

describe('content codings', () => {
  const text = 'The whole conversation. '.repeat(100);

  it.each([
    ['gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
    [null, Buffer.from(text)],
    ['gzip, zstd', zstdCompressSync(gzipSync(text))],
  ])('decodes %s', (coding, body) => {
    expect(decodeContent(body, coding).toString()).toBe(text);
  });

  it('gives what a cut-off body had', () => {
    const whole = gzipSync(Buffer.from(Array.from({ length: 5000 }, (_, i) => `${i * 7919} `).join('')));
    expect(decodeContent(whole.subarray(0, whole.length / 2), 'gzip').toString()).toMatch(/^0 7919 15838 /);
  });

  it('refuses an unknown coding', () => {
    expect(() => decodeContent(Buffer.from('x'), 'snappy')).toThrow('snappy');
  });
});

describe('the WebSocket reader', () => {
  const frame = (payload: Buffer, { opcode = 1, final = true, mask = false, compressed = false } = {}): Buffer => {
    const size =
      payload.length < 126
        ? Buffer.from([payload.length])
        : Buffer.from([126, payload.length >> 8, payload.length & 0xff]);
    size[0] = (size[0] ?? 0) | (mask ? 0x80 : 0);
    const key = Buffer.from([1, 2, 3, 4]);
    const masked = mask ? Buffer.from(payload.map((byte, i) => byte ^ (key[i & 3] ?? 0))) : payload;
    const first = Buffer.from([(final ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode]);
    return Buffer.concat([first, size, ...(mask ? [key] : []), masked]);
  };
  const read = (extensions: string | null, pieces: Buffer[]): string[] => {
    const messages: string[] = [];
    const reader = new WebSocketReader(webSocketOptions(extensions, 'server'), message => void messages.push(message));
    for (const piece of pieces) reader.push(piece);
    return messages;
  };

  it('reads masked, fragmented and interleaved frames wherever they are cut', () => {
    const long = 'long '.repeat(200);
    const bytes = Buffer.concat([
      frame(Buffer.from('hel'), { final: false, mask: true }),
      frame(Buffer.from('ping'), { opcode: 9 }),
      frame(Buffer.from('lo €'), { opcode: 0, mask: true }),
      frame(Buffer.from(long)),
      frame(Buffer.from([3, 232]), { opcode: 8 }),
    ]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(read(null, [bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(['hello €', long]);
    }
  });

  it.each(['permessage-deflate', 'permessage-deflate; server_no_context_takeover'])(
    'inflates messages that refer to earlier ones (%s)',
    async extension => {
      const texts = [
        '{"type":"response.output_text.delta","delta":"one"}',
        '{"type":"response.output_text.delta","delta":"two"}',
      ];
      const payloads: Buffer[] = [];
      let deflate = createDeflateRaw();
      for (const text of texts) {
        if (extension.includes('no_context')) deflate = createDeflateRaw();
        const chunks: Buffer[] = [];
        const keep = (chunk: Buffer) => void chunks.push(chunk);
        deflate.on('data', keep);
        deflate.write(text);
        await new Promise<void>(resolve => deflate.flush(constants.Z_SYNC_FLUSH, () => resolve()));
        deflate.off('data', keep);
        payloads.push(Buffer.concat(chunks).subarray(0, -4));
      }
      expect(
        read(
          extension,
          payloads.map(payload => frame(payload, { compressed: true })),
        ),
      ).toEqual(texts);
    },
  );

  it('refuses compressed messages when nothing was agreed, and frames of absurd size', () => {
    expect(() => read(null, [frame(Buffer.from('x'), { compressed: true })])).toThrow();
    expect(() => read(null, [Buffer.from([0x81, 127, 0xff, 0, 0, 0, 0, 0, 0, 0])])).toThrow('too large');
  });
});
