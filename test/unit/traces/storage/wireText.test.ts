import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CapturedExchange } from '../../../../server/traces/connections/capturedExchange.ts';
import { ConnectionReader } from '../../../../server/traces/connections/connectionReader.ts';
import { ReplyReader, SseReply } from '../../../../server/traces/connections/replyReader.ts';
import { responses } from '../../../../server/traces/dialects/responses.ts';
import type { EventStream } from '../../../../server/traces/events/eventStream.ts';
import { unpackItems } from '../../../../server/traces/events/packedItems.ts';
import { packEvents } from '../../../../server/traces/events/storedEvents.ts';
import { toWireText } from '../../../../server/traces/storage/wireText.ts';
import { anOrigin, aRecorder, aReply, said, sse } from '../recordedTraffic.ts';

const startedAtMs = 1_800_000_000_000;

const delta = (text: string, sequence: number) => ({
  ...{ type: 'response.output_text.delta', sequence_number: sequence, item_id: 'msg_1', output_index: 0 },
  ...{ delta: text, obfuscation: 'x'.repeat(sequence % 9) },
});

/** A stream of the Responses API: a message that comes in deltas. */
function aStream(texts: readonly string[]): object[] {
  const item = { ...said('assistant', texts.join('')), id: 'msg_1' };
  return [
    { type: 'response.created', response: { id: 'resp_1', status: 'in_progress', output: [] } },
    { type: 'response.output_item.added', output_index: 0, item: { ...item, content: [] } },
    ...texts.map((text, index) => delta(text, index + 2)),
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: { id: 'resp_1', status: 'completed', model: 'm', output: [item] } },
  ];
}

/** Reads a body cut into these lengths, a millisecond apart. */
function read(body: Buffer, lengths: readonly number[]) {
  const reader = new ReplyReader(responses, 'sse', startedAtMs);
  const stream = new SseReply(reader);
  let [from, atMs] = [0, startedAtMs];
  for (const length of [...lengths, body.length]) {
    stream.push(body.subarray(from, from + length), ++atMs);
    from += length;
  }
  stream.end(atMs);
  return reader;
}

/** Reads a body that is sent in chunks of these lengths, of which as many as said come together. */
function readChunked(body: Buffer, lengths: readonly number[], together: number) {
  const captured: CapturedExchange[] = [];
  const listener = { exchange: captured.push.bind(captured), side: () => undefined, streaming: () => undefined };
  const reader = new ConnectionReader(listener);
  reader.push('up', Buffer.from('POST /v1/responses HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}'), startedAtMs);
  const pieces = [
    Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'),
  ];
  let from = 0;
  for (const length of [...lengths.map(length => length + 1), body.length]) {
    const part = body.subarray(from, from + length);
    if (part.length === 0) break;
    pieces.push(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]));
    from += length;
  }
  pieces.push(Buffer.from('0\r\n\r\n'));
  for (let at = 0; at < pieces.length; at += together) {
    reader.push('down', Buffer.concat(pieces.slice(at, at + together)), startedAtMs + at);
  }
  const [exchange] = captured;
  if (exchange?.events == null) throw new Error('No exchange was read.');
  return { events: exchange.events, reply: exchange.reply, sizeBytes: exchange.responseSizeBytes };
}

function wireOf(reader: { readonly events: EventStream }) {
  const responseEvents = packEvents(reader.events, '');
  const stored = { startedAtMs, dialect: 'responses', request: {}, requestVerbatim: null, responseEvents };
  return toWireText({ ...stored, response: null });
}

/** Everything in the tables with texts of exchanges, decompressed. */
function storedTexts(file: string): string[] {
  const database = new Database(file, { readonly: true });
  const items = database.prepare('SELECT content FROM items').pluck().all() as Buffer[];
  const rows = database
    .prepare(
      'SELECT request_json, response_json, request_verbatim, response_events FROM exchanges LEFT JOIN wire ON exchange_seq = seq',
    )
    .all();
  database.close();
  return [...items.flatMap(unpackItems), ...rows.map(row => JSON.stringify(row))];
}

const lengths = fc.array(fc.nat({ max: 90 }), { maxLength: 40 });
const newlines = fc.constantFrom('\n', '\r\n', '\r');
const hostileLine = fc.constantFrom(
  '',
  '',
  ': comment',
  'data',
  'data: {"type":"x"}',
  'data: "multi',
  'event: y',
  'id: 1',
  'data:{',
  '\0é',
);
const hostile = fc
  .tuple(fc.array(fc.tuple(hostileLine, newlines), { maxLength: 30 }), fc.uint8Array({ maxLength: 20 }))
  .map(([lines, tail]) => Buffer.concat([Buffer.from(lines.flat().join('')), Buffer.from(tail)]));
const plain = fc
  .array(fc.string({ unit: 'grapheme', maxLength: 8 }), { maxLength: 20 })
  .map(texts => Buffer.from(sse(...aStream(texts))));

describe('a stream', () => {
  it('comes back byte for byte wherever it was cut, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(plain, hostile, fc.tuple(plain, hostile).map(Buffer.concat)), lengths, (body, cuts) => {
        const wire = wireOf(read(body, cuts));
        expect(wire.body.equals(body)).toBe(true);
        // As text, too: events end where lines do, so no character is cut in two.
        expect(wire.events.map(event => event.text).join('')).toBe(body.toString('utf8'));
      }),
    );
  });

  it('is the same whatever chunks it is sent in, and however many of them come together', () => {
    const together = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(fc.oneof(plain, hostile), lengths, together, (body, cuts, count) => {
        const { events, reply, sizeBytes } = readChunked(body, cuts, count);
        expect(wireOf({ events }).body.equals(body)).toBe(true);
        expect(sizeBytes).toBe(body.length);
        expect(reply.json).toEqual(read(body, []).finish(true).json);
      }),
    );
  });

  it('is the same when hundreds of chunks, short and long, come together', () => {
    const texts = Array.from({ length: 400 }, (_, index) => 'wörter '.repeat(index % 97 === 0 ? 4000 : index % 9));
    const body = Buffer.from(sse(...aStream(texts)));
    const cuts = texts.map((_, index) => (index % 53 === 0 ? 40_000 : 180));
    expect(wireOf(readChunked(body, cuts, 1000)).body.equals(body)).toBe(true);
  });

  it('gives each event the time at which its last byte came', () => {
    const events = ['data: {"type":"a","delta":"1"}\n\n', ': ping\r\n\r\n', 'data: 2\n\n'];
    for (const body of [events.join(''), events.join('').replaceAll('\r', '')]) {
      const bytes = [...body].map(() => 1);
      let end = 0;
      const expected = body.split(/(?<=\n\r?\n)/).map(text => {
        end += text.length;
        return { text, atMs: startedAtMs + end };
      });
      expect(wireOf(read(Buffer.from(body), bytes)).events).toEqual(expected);
    }
  });

  it('says the same whether its deltas are parsed or passed over, also when it is cut off', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 12 }), fc.nat({ max: 15 }), lengths, (texts, kept, cuts) => {
        const events = aStream(texts).slice(0, kept);
        const builder = responses.reply();
        for (const event of events) builder.event(JSON.parse(JSON.stringify(event)));
        expect(read(Buffer.from(sse(...events)), cuts).finish(true)).toEqual(builder.finish(true));
      }),
    );
  });

  it('tells its progress by what the deltas bring', () => {
    const reader = read(Buffer.from(sse(...aStream(['one ', 'two ', 'three']))), []);
    expect(reader.characters).toBe('one two three'.length);
  });
});

describe('the store', () => {
  it('writes out request and reply as they were sent, with their sizes', () => {
    const { record, store, events } = aRecorder();
    const response = aReply([said('assistant', 'Grüße')]);
    const request = { model: 'm', input: [said('user', 'x'.repeat(500)), said('user', 'é')] };
    record({ request, response }, startedAtMs);
    const exchange = events.findLast(event => event.kind === 'exchange');
    expect(store.wireText(exchange?.id ?? '')).toEqual({
      request: JSON.stringify(request),
      requestExact: true,
      framing: 'sse',
      omitted: null,
      events: [{ atMs: startedAtMs + 10, text: response }],
      body: Buffer.from(response),
    });
    expect(store.wireText('none')).toBeNull();
  });

  it('keeps no events in which a secret is, not even one split over deltas, and says so', () => {
    const { record, store, events, file, stop } = aRecorder();
    const key = `sk-${'a1B2c3D4'.repeat(5)}`;
    const texts = [key.slice(0, 5), key.slice(5, 20), key.slice(20)];
    const unknown = texts.map((delta, index) => ({ type: 'response.novel.delta', sequence_number: index, delta }));
    for (const stream of [aStream(['The key is ', ...texts]), [...unknown, ...aStream(['ok'])]]) {
      record({ request: { model: 'm', input: `the key is ${key}` }, response: sse(...stream) });
      const exchange = events.findLast(event => event.kind === 'exchange');
      expect(store.wireText(exchange?.id ?? '')).toMatchObject({
        requestExact: false,
        omitted: 'redacted',
        events: [],
      });
    }
    stop();
    expect(storedTexts(file).some(text => text.includes(key.slice(5, 20)))).toBe(false);
  });

  it('keeps no events of an unknown format either when a secret is split over them', () => {
    const { record, store, events, file, stop } = aRecorder();
    const key = `sk-${'a1B2c3D4'.repeat(5)}`;
    const pieces = key.match(/.{1,4}/g) ?? [];
    const streams: object[][] = [
      pieces.map(text => ({ id: 'cmpl-1', choices: [{ index: 0, text }] })),
      pieces.flatMap(text => [{ out: [{ index: 1, text: 'x' }] }, { out: [{ index: 0, text }] }]),
      pieces.map(token => ({ model: 'm', deep: [[{ token }]] })),
      pieces,
    ] as object[][];
    for (const stream of [...streams, [...Array(1200).fill({ text: 'ok ' }), ...(streams[0] ?? [])]]) {
      record({ path: '/v1/completions', request: { model: 'm', prompt: 'hi' }, response: sse(...stream) });
      const exchange = events.findLast(event => event.kind === 'exchange');
      expect(store.wireText(exchange?.id ?? '')).toMatchObject({ omitted: 'redacted', events: [] });
      expect(store.wholeExchange(exchange?.id ?? '')?.response).toEqual({ events: '[redacted]' });
    }
    record({ path: '/v1/completions', request: { model: 'm' }, response: sse({ text: 'sk-' }, { text: ' a' }) });
    const last = events.findLast(event => event.kind === 'exchange');
    expect(store.wireText(last?.id ?? '')).toMatchObject({ omitted: null });
    stop();
    expect(storedTexts(file).some(text => text.includes(pieces[3] ?? ''))).toBe(false);
  });

  it('keeps no pieces of a secret that comes split in what no format joins', () => {
    const { record, store, events, file, stop } = aRecorder();
    const key = 'Qx7pLw2vRt9zKd4mBn6sHj1f';
    const authorization = `Bearer ${key}`;
    const pieces = key.match(/.{1,4}/g) ?? [];
    const part = (value: object) => ({ candidates: [{ index: 0, content: { role: 'model', parts: [value] } }] });
    const ask = (format: string, path: string) => ({ format, path, request: { model: 'm', messages: [], input: [] } });
    const chat = ask('chat', '/v1/chat/completions');
    const gemini = ask('gemini', '/v1beta/models/m:streamGenerateContent');
    const anthropic = ask('messages', '/v1/messages');
    const begun = [
      { type: 'message_start', message: { id: 'm', content: [] } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ];
    const novel = ask('responses', '/v1/responses');
    const kinds: [ReturnType<typeof ask>, (piece: string, index: number) => object][] = [
      [chat, transcript => ({ choices: [{ index: 0, delta: { audio: { transcript } } }] })],
      [chat, piece => ({ choices: [{ index: 0, delta: { content: '', novel: [{ piece }] } }] })],
      [gemini, value => part({ functionCall: { partialArgs: [{ jsonPath: '$.a', stringValue: value }] } })],
      [gemini, cmd => part({ functionCall: { name: 'sh', args: { cmd } } })],
      [gemini, code => part({ executableCode: { language: 'PYTHON', code } })],
      [gemini, output => part({ codeExecutionResult: { outcome: 'OUTCOME_OK', output } })],
      [anthropic, cited => ({ type: 'content_block_delta', index: 0, delta: { citation: { cited_text: cited } } })],
      [novel, (piece, index) => ({ type: 'response.novel', sequence_number: index, part: { piece } })],
      [novel, (piece, index) => ({ type: 'response.novel.delta', sequence_number: index, delta: { piece } })],
    ];
    for (const [{ format, path, request }, event] of kinds) {
      // Single characters come again, some of them next to each other.
      for (const split of [pieces, [...key], [...key.slice(0, 20), 'ss', ...key.slice(20)]]) {
        const known = split.join('');
        const response = sse(...(format === 'messages' ? begun : []), ...split.map(event));
        record({ path, request, response, headers: { authorization: `Bearer ${known}`, 'thread-id': `${path}` } });
        const id = events.findLast(one => one.kind === 'exchange')?.id ?? '';
        expect(store.wireText(id)).toMatchObject({ omitted: 'redacted', events: [] });
        expect(JSON.stringify(store.wholeExchange(id)?.response ?? null)).not.toContain(`"${split[2]}"`);
      }
      const clean = sse(...(format === 'messages' ? begun : []), ...['one', 'two'].map(event));
      record({ path, request, response: clean, headers: { authorization, 'thread-id': path } });
      const last = events.findLast(one => one.kind === 'exchange');
      expect(store.wireText(last?.id ?? '')).toMatchObject({ omitted: null });
    }
    stop();
    expect(storedTexts(file).some(text => pieces.some(piece => text.includes(piece)))).toBe(false);
  });

  it('hides of a reply only what a secret is split over', () => {
    const { record, store, events } = aRecorder();
    const key = 'Qx7pLw2vRt9zKd4mBn6sHj1f';
    const parts = [
      { text: 'Let me see.' },
      ...(key.match(/.{1,4}/g) ?? []).map(cmd => ({ functionCall: { name: 'sh', args: { cmd } } })),
    ];
    const response = sse(...parts.map(part => ({ candidates: [{ content: { role: 'model', parts: [part] } }] })));
    const headers = { 'x-goog-api-key': key };
    record({ path: '/v1beta/models/m:streamGenerateContent', request: {}, response, headers });
    const id = events.findLast(one => one.kind === 'exchange')?.id ?? '';
    const hidden = { functionCall: { name: 'sh', args: { cmd: '[redacted]' } } };
    expect(store.wholeExchange(id)?.response).toMatchObject({
      candidates: [{ content: { parts: [{ text: 'Let me see.' }, ...Array(6).fill(hidden)] } }],
    });
  });

  it('reads a reply of one JSON text per line as events', () => {
    const { record, store, events } = aRecorder();
    const key = `sk-${'a1B2c3D4'.repeat(5)}`;
    const end = { done: true, prompt_eval_count: 26, eval_count: 9 };
    for (const [pieces, said] of [
      [['Hel', 'lo'], ['Hello']],
      [key.match(/.{1,4}/g) ?? [], []],
    ] as const) {
      const lines = [...pieces.map(content => ({ message: { content } })), end].map(
        line => `${JSON.stringify(line)}\n`,
      );
      const headers = { 'thread-id': `thread-${pieces.length}` };
      const session = record({ path: '/api/chat', request: { messages: [] }, response: lines.join(''), headers });
      const exchange = events.findLast(event => event.kind === 'exchange');
      const omitted = said.length === 0 ? 'redacted' : null;
      expect(store.wireText(exchange?.id ?? '')).toMatchObject({ omitted });
      expect(store.exchangesOfSession(session)).toMatchObject([{ usage: { inputTokens: 26, outputTokens: 9 } }]);
      expect(store.conversation(session).map(item => item.text)).toEqual(said);
    }
  });

  it('takes a stream that is longer than what is kept of it for the reply that it is', () => {
    const { record, store, events } = aRecorder();
    const long = Array.from({ length: 5000 }, (_, index) => delta(`${index} `.repeat(400), index));
    const session = record({ request: { model: 'm', input: 'x' }, response: sse(...long) + aReply([]) });
    const exchange = events.findLast(event => event.kind === 'exchange');
    expect(store.wireText(exchange?.id ?? '')).toMatchObject({ omitted: 'tooLarge', events: [] });
    expect(store.exchangesOfSession(session)).toMatchObject([{ error: null, usage: { inputTokens: 10 } }]);
  });

  it('keeps a JSON reply’s own text', () => {
    const { record, store, events } = aRecorder();
    const response = '{\n  "id": "r",\n  "object": "response", "output": [], "temperature": 1.0\n}\n';
    record({ request: { model: 'm', input: 'x' }, response }, startedAtMs, anOrigin());
    const exchange = events.findLast(event => event.kind === 'exchange');
    expect(store.wireText(exchange?.id ?? '')).toMatchObject({
      framing: 'body',
      events: [{ atMs: startedAtMs + 10, text: response }],
    });
  });

  it('lets go of a reply that is larger than what is kept, and says so', () => {
    const { record, store, events } = aRecorder();
    const session = record({
      request: { model: 'm', input: 'x' },
      response: `{"id":"${'x'.repeat(9 * 1024 * 1024)}"}`,
    });
    const exchange = events.findLast(event => event.kind === 'exchange');
    expect(store.wireText(exchange?.id ?? '')).toMatchObject({ omitted: 'tooLarge', events: [] });
    expect(store.exchangesOfSession(session)[0]?.error).toContain('more than the 8388608 bytes that are kept');
  });
});
