import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packItems, unpackItems } from '../../../../server/traces/events/packedItems.ts';

const bytes = fc.uint8Array({ minLength: 100, maxLength: 400 }).map(array => Buffer.from(array));
const base64 = fc
  .tuple(bytes, fc.constantFrom('base64' as const, 'base64url' as const), fc.constantFrom('', '=', '=='))
  .map(([content, encoding, padding]) => content.toString(encoding) + padding);
const json = fc
  .oneof(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 2 }))
  .map(value => JSON.stringify(value));
const text = fc
  .array(fc.oneof(json, base64, fc.constantFrom('a'.repeat(300), '/'.repeat(201), '\\n', '=')), { maxLength: 5 })
  .map(parts => parts.join(''));

describe('items in one row', () => {
  it('come back whatever they are', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), texts => {
        expect(unpackItems(packItems(texts))).toEqual(texts);
      }),
    );
  });

  it('come back at every size of what is looked through for repetitions', () => {
    const noise = Array.from({ length: 40_000 }, (_, index) => String.fromCharCode(33 + ((index * index * 31) % 89)));
    for (let size = 16; size <= 40_000; size = Math.ceil(size * 1.3)) {
      const text = noise.slice(0, size).join('');
      expect(unpackItems(packItems([text, text]))).toEqual([text, text]);
    }
  });

  it('come back when they are large', () => {
    const random = Buffer.from(Array.from({ length: 90_000 }, (_, index) => (index * index * 7919) >> 5)).toString(
      'base64',
    );
    const texts = ['é'.repeat(40_000), `"data:image/png;base64,${random}"`, '', random];
    expect(unpackItems(packItems(texts))).toEqual(texts);
  });

  it('take no more for base64 than for the bytes it stands for', () => {
    const noise = Buffer.from(Array.from({ length: 1500 }, () => Math.floor(Math.random() * 256)));
    for (const encoding of ['base64', 'base64url'] as const) {
      expect(packItems([`{"encrypted_content":"${noise.toString(encoding)}"}`]).length).toBeLessThan(1560);
    }
  });

  it('are read from the first version, too', () => {
    expect(unpackItems(zstdCompressSync('{"a":1}'))).toEqual(['{"a":1}']);
  });
});
