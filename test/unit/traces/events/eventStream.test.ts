import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStream } from '../../../../server/traces/events/eventStream.ts';
import { packEvents, unpackEvents } from '../../../../server/traces/events/storedEvents.ts';

const started = 1_800_000_000_000;

function keptOf(pieces: readonly { text: string; atMs: number }[], replyText = '') {
  const stream = new EventStream('sse', started);
  for (const { text, atMs } of pieces) stream.push(text, atMs);
  const stored = packEvents(stream, replyText);
  const { pieces: back } = unpackEvents(stored, replyText, started);
  return { stored, back: back.map(({ bytes, atMs }) => ({ text: bytes.toString('latin1'), atMs })) };
}

const latin1 = fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes).toString('latin1'));
const name = fc.constantFrom('delta', 'text', 'content', 'obfuscation', 'arguments', 'other');
const value = fc.oneof(
  fc.string({ maxLength: 20 }).map(text => JSON.stringify(text)),
  fc.constantFrom('"', '"\\"', '"","delta":"', '01', '1e3', '-1', '9007199254740993', '{}', '"a","sequence_number":7'),
);
const likeAnEvent = fc
  .tuple(fc.nat({ max: 3 }), fc.array(fc.tuple(name, value), { maxLength: 4 }), fc.bigInt({ min: 0n, max: 1n << 60n }))
  .map(([type, members, counter]) => {
    const fields = members.map(([key, text]) => `,"${key}":${text}`).join('');
    return `data: {"type":"t${type}"${fields},"sequence_number":${counter}}\n\n`;
  });
const pieces = fc.array(
  fc.record({ text: fc.oneof(latin1, likeAnEvent), atMs: fc.integer({ min: started - 5000, max: started + 1e9 }) }),
  { maxLength: 30 },
);

describe('the events of a reply', () => {
  it('come back byte for byte with their times, whatever they are', () => {
    fc.assert(
      fc.property(pieces, fc.string(), (given, replyText) => {
        expect(keptOf(given, replyText).back).toEqual(given);
      }),
    );
  });

  it('take little room when they are alike, and their text stands in the reply', () => {
    const text = Array.from({ length: 500 }, (_, index) => ` word${(index * 7919) % 613}`);
    const given = text.map((delta, index) => ({
      text: `event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":${index + 4},"item_id":"msg_1","delta":${JSON.stringify(delta)},"logprobs":[]}\n\n`,
      atMs: started + index * 20,
    }));
    const { stored, back } = keptOf(given, JSON.stringify({ output: [{ text: text.join('') }] }));
    expect(back).toEqual(given);
    expect(stored.length).toBeLessThan(500);
  });

  it('take a few bytes when they are the reply itself, and are told from those of another reply', () => {
    const replyText = JSON.stringify({ id: 'resp_1', text: 'Grüße'.repeat(100) });
    const whole = { text: Buffer.from(replyText).toString('latin1'), atMs: started + 1234 };
    const { stored, back } = keptOf([whole], replyText);
    expect(back).toEqual([whole]);
    expect(stored.length).toBeLessThan(9);
    const other = keptOf([{ ...whole, text: whole.text.replace('resp_1', 'resp_2') }], replyText);
    expect(other.back[0]?.text).toContain('resp_2');
  });

  it.each([
    ['themselves', 1],
    ['few', 3],
    ['many', 400],
  ])('can’t be read with another reply than they were stored with: %s', (_, count) => {
    const text = 'data: {"text":"what the reply says, too"}\n\n';
    const { stored } = keptOf(Array(count).fill({ text, atMs: started }), text);
    expect(() => unpackEvents(stored, text.replace('reply', 'other'), started)).toThrow();
  });

  it('are let go, and marked so, when there are more than can be kept', () => {
    const stream = new EventStream('sse', started);
    for (let index = 0; index < 10; index++) stream.push(`${index}`.repeat(1024 * 1024), started);
    expect(stream.overflown).toBe(true);
    expect(stream.texts()).toEqual([]);
    const stored = packEvents(stream, '');
    expect(stored).toHaveLength(1);
    expect(unpackEvents(stored, '', started)).toEqual({ framing: 'sse', omitted: 'tooLarge', pieces: [] });
  });
});
