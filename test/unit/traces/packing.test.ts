import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Packer, unpack } from '../../../server/traces/packing.ts';
import { Redactor } from '../../../server/traces/redaction.ts';

function aPacker() {
  const items = new Map<string, string>();
  let writtenBytes = 0;
  const packer = new Packer(
    {
      put(hash, text) {
        if (!items.has(hash)) writtenBytes += text.length;
        items.set(hash, text);
      },
    },
    new Redactor(),
  );
  const load = (hash: string) => items.get(hash) ?? '';
  return { packer, load, writtenBytes: () => writtenBytes };
}

const message = (text: string) => ({ role: 'user', content: text });

describe('packing', () => {
  it('gives back any request and reply', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const body = fc.record({ model: fc.string(), input: fc.array(value, { maxLength: 6 }), more: value });
    fc.assert(
      fc.property(fc.array(body, { maxLength: 4 }), bodies => {
        const { packer, load } = aPacker();
        for (const request of bodies) {
          const plain = JSON.parse(JSON.stringify(request));
          // A generated value may look like a secret, such as the text of a field named "key".
          const kept = new Redactor().json(plain);
          expect(unpack(packer.request(plain, 'input', 'c').json, load)).toEqual(kept);
          expect(unpack(packer.reply(plain)?.json ?? '', load)).toEqual(kept);
        }
      }),
    );
  });

  it('does not take a user’s JSON for its own references', () => {
    const { packer, load } = aPacker();
    const request = { input: [{ $item: 'mine' }, { $list: 'mine' }], tools: { $item: 'x' }, list: { $list: 'y' } };
    expect(unpack(packer.request(request, 'input', 'c').json, load)).toEqual(request);
    expect(unpack(packer.reply({ output: [{ $item: 'z' }] })?.json ?? '', load)).toEqual({ output: [{ $item: 'z' }] });
  });

  it('stores what a conversation adds, not the conversation again', () => {
    const { packer, load, writtenBytes } = aPacker();
    const input: object[] = [];
    let rawBytes = 0;
    let packedBytes = 0;
    for (let turn = 0; turn < 200; turn++) {
      input.push(message(`Turn ${turn}: ${'tool output '.repeat(100)}`));
      const request = { model: 'm', tools: ['a tool '.repeat(2000)], input };
      rawBytes += JSON.stringify(request).length;
      const { json } = packer.request(request, 'input', 'c');
      packedBytes += json.length;
      if (turn % 50 === 0) expect(unpack(json, load)).toEqual(request);
    }
    expect(rawBytes / (writtenBytes() + packedBytes)).toBeGreaterThan(80);
  });

  it('starts anew where a compacted history leaves the old one', () => {
    const { packer, load } = aPacker();
    const lists = [
      ['a', 'b', 'c'],
      ['a', 'summary'],
      ['a', 'summary', 'd'],
    ];
    for (const list of lists) {
      const request = { input: list.map(message) };
      expect(unpack(packer.request(request, 'input', 'c').json, load)).toEqual(request);
    }
  });

  it('shows no conversation the response of another', () => {
    const { packer, load } = aPacker();
    packer.request({ input: [message('private')] }, 'input', 'mine').remember('resp_1', [message('reply')]);
    const request = { previous_response_id: 'resp_1', input: [message('and?')] };
    expect(unpack(packer.request(request, 'input', 'theirs').json, load)).toEqual(request);
  });

  it('makes a request whole that only adds to an earlier response', () => {
    const { packer, load } = aPacker();
    const first = packer.request({ input: [message('one')] }, 'input', 'c');
    first.remember('resp_1', [message('reply')]);
    const second = packer.request({ previous_response_id: 'resp_1', input: [message('two')] }, 'input', 'c');
    second.remember('resp_2', []);
    const third = packer.request({ previous_response_id: 'resp_2', input: [] }, 'input', 'c');
    const texts = (json: string) =>
      (unpack(json, load) as { input: { content: string }[] }).input.map(item => item.content);
    expect(texts(second.json)).toEqual(['one', 'reply', 'two']);
    expect(texts(third.json)).toEqual(['one', 'reply', 'two']);
  });
});
