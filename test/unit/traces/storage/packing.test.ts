import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../../../server/traces/redaction/redaction.ts';
import { joinHead } from '../../../../server/traces/storage/heads.ts';
import type { ItemRef } from '../../../../server/traces/storage/items.ts';
import { type PackedReply, type PackedRequest, Packer, unpack } from '../../../../server/traces/storage/packing.ts';

function aPacker() {
  const items: string[] = [];
  const heads: string[] = [];
  const numbers = new Map<string, number>();
  let writtenBytes = 0;
  const append = (text: string) => {
    writtenBytes += text.length;
    return items.push(text);
  };
  const put = (text: string) => {
    const number = numbers.get(text) ?? append(text);
    numbers.set(text, number);
    return number;
  };
  const parts = { put, append, putHead: (_: string, json: string) => heads.push(json), reply: () => null };
  const packer = new Packer(parts, new Redactor());
  const load = (item: ItemRef) => items[Number(item) - 1] ?? '';
  const read = ({ json, head }: { json: string; head: number | null }) =>
    unpack(joinHead(head === null ? null : (heads[head - 1] ?? ''), json), load);
  return { packer, read, heads, writtenBytes: () => writtenBytes };
}

const replyOf = (packed: PackedReply | null) => packed ?? { json: '', head: null };

const message = (text: string) => ({ role: 'user', content: text });

describe('packing', () => {
  it('gives back any request and reply', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const body = fc.record({ model: fc.string(), input: fc.array(value, { maxLength: 6 }), more: value });
    fc.assert(
      fc.property(fc.array(body, { maxLength: 4 }), bodies => {
        const { packer, read } = aPacker();
        for (const request of bodies) {
          const plain = JSON.parse(JSON.stringify(request));
          // A generated value may look like a secret, such as the text of a field named "key".
          const kept = new Redactor().json(plain);
          expect(read(packer.request(plain, 'input', 'c'))).toEqual(kept);
          expect(read(replyOf(packer.reply(plain, 'c')))).toEqual(kept);
        }
      }),
    );
  });

  it('gives back any request that wraps another, whatever looks like a reference in it', () => {
    const { value } = fc.letrec<{ value: unknown }>(tie => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(1, 2, 'x', null, 'long '.repeat(60)),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('$item', '$list', 'request', 'input', 'a'), tie('value'), { maxKeys: 3 }),
      ),
    }));
    const list = fc.array(value, { maxLength: 4 });
    const wrapped = fc.record({ input: list, tools: value, request: value });
    const body = fc.oneof(
      fc.record({ model: value, request: wrapped }),
      fc.record({ input: list, request: wrapped }),
      fc.record({ request: value, tools: value }),
    );
    fc.assert(
      fc.property(fc.array(body, { maxLength: 4 }), bodies => {
        const { packer, read } = aPacker();
        for (const request of bodies) {
          const plain = JSON.parse(JSON.stringify(request));
          const packed = packer.request(plain, 'input', 'c');
          expect(read(packed)).toEqual(plain);
          expect(packed.sent).toBe(JSON.stringify(plain));
          expect(read(replyOf(packer.reply(plain, 'c')))).toEqual(plain);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('stores a wrapped conversation as one that is not', () => {
    const { packer, read, writtenBytes } = aPacker();
    const contents: object[] = [];
    let packedBytes = 0;
    let rawBytes = 0;
    for (let turn = 0; turn < 100; turn++) {
      contents.push(message(`Turn ${turn}: ${'tool output '.repeat(100)}`));
      const request = { model: 'm', request: { contents, tools: ['a tool '.repeat(2000)] } };
      rawBytes += JSON.stringify(request).length;
      const packed = packer.request(request, 'contents', 'c');
      packedBytes += packed.json.length;
      if (turn % 50 === 0) expect(read(packed)).toEqual(request);
    }
    expect(rawBytes / (writtenBytes() + packedBytes)).toBeGreaterThan(40);
  });

  it('does not take a user’s JSON for its own references', () => {
    const { packer, read } = aPacker();
    const request = {
      input: [{ $item: 'mine' }, { $list: 'mine' }],
      tools: { $item: 'x' },
      list: { $list: 'y' },
      several: [{ $item: 1 }],
      request: { contents: { $list: 1 } },
    };
    expect(read(packer.request(request, 'input', 'c'))).toEqual(request);
    expect(read(replyOf(packer.reply({ output: [{ $item: 'z' }] }, 'c')))).toEqual({ output: [{ $item: 'z' }] });
  });

  it('stores what a conversation adds, not the conversation again', () => {
    const { packer, read, writtenBytes } = aPacker();
    const input: object[] = [];
    let rawBytes = 0;
    let packedBytes = 0;
    for (let turn = 0; turn < 200; turn++) {
      input.push(message(`Turn ${turn}: ${'tool output '.repeat(100)}`));
      const request = { model: 'm', tools: ['a tool '.repeat(2000)], input };
      rawBytes += JSON.stringify(request).length;
      const packed = packer.request(request, 'input', 'c');
      packedBytes += packed.json.length;
      if (turn % 50 === 0) expect(read(packed)).toEqual(request);
    }
    expect(rawBytes / (writtenBytes() + packedBytes)).toBeGreaterThan(80);
  });

  it('starts anew where a compacted history leaves the old one', () => {
    const { packer, read } = aPacker();
    const lists = [
      ['a', 'b', 'c'],
      ['a', 'summary'],
      ['a', 'summary', 'd'],
    ];
    for (const list of lists) {
      const request = { input: list.map(message) };
      expect(read(packer.request(request, 'input', 'c'))).toEqual(request);
    }
  });

  it('shows no conversation the response of another', () => {
    const { packer, read } = aPacker();
    packer.request({ input: [message('private')] }, 'input', 'mine').remember('resp_1', [message('reply')]);
    const request = { previous_response_id: 'resp_1', input: [message('and?')] };
    expect(read(packer.request(request, 'input', 'theirs'))).toEqual(request);
  });

  it('makes a request whole that only adds to an earlier response', () => {
    const { packer, read } = aPacker();
    const first = packer.request({ input: [message('one')] }, 'input', 'c');
    first.remember('resp_1', [message('reply')]);
    const second = packer.request({ previous_response_id: 'resp_1', input: [message('two')] }, 'input', 'c');
    second.remember('resp_2', []);
    const third = packer.request({ previous_response_id: 'resp_2', input: [] }, 'input', 'c');
    const texts = (packed: PackedRequest) =>
      (read(packed) as { input: { content: string }[] }).input.map(item => item.content);
    expect(texts(second)).toEqual(['one', 'reply', 'two']);
    expect(texts(third)).toEqual(['one', 'reply', 'two']);
  });

  it('stores what requests have in common once, and what varies with each', () => {
    const { packer, read, heads } = aPacker();
    const turns = [1, 2, 3, 4, 5].map(turn => ({ model: 'm', turn, input: [message(`${turn}`)], stream: null }));
    const stored = turns.map(turn => packer.request(turn, 'input', 'c'));
    expect(stored.map(read)).toEqual(turns);
    expect(heads).toEqual(['{"model":"m","turn":null,"input":null,"stream":null}']);
    expect(stored.at(-1)?.json).toMatch(/^{"turn":5,"input":{"\$list":\d+}}$/);
    const other = { ...turns[0], model: 'other' };
    expect(read(packer.request(other, 'input', 'c'))).toEqual(other);
    expect(read(packer.request({ model: 'm', input: [] }, 'input', 'c'))).toEqual({ model: 'm', input: [] });
  });

  it('has nothing in common with what was taken back or deleted', () => {
    const { packer, heads } = aPacker();
    const request = (turn: number) => packer.request({ model: 'm', turn, input: [] }, 'input', 'c').head;
    const failing = () =>
      packer.attempt(() => {
        request(1);
        request(2);
        throw new Error('disk full');
      });
    expect(failing).toThrow('disk full');
    expect([request(3), request(4)]).toEqual([null, heads.length]);
    packer.forget(new Set(['c']));
    expect(request(5)).toBeNull();
  });
});
