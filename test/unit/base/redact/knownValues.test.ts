import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KnownValues } from '../../../../server/base/redact/knownValues.ts';

describe('known values', () => {
  const inText = fc.string({ unit: fc.constantFrom('a', 'b', '.', '$', '"'), maxLength: 60 });
  const aValue = fc.string({ unit: fc.constantFrom('a', 'b', '.', '$'), minLength: 6, maxLength: 20 });

  it('are found where a plain search finds them, and nowhere else', () => {
    fc.assert(
      fc.property(inText, fc.array(aValue, { maxLength: 8 }), (text, values) => {
        const places = [...text].flatMap((_, at) => (values.some(value => text.startsWith(value, at)) ? [at] : []));
        const known = new KnownValues(values);
        expect(known.spans(text).map(span => span.start)).toEqual(places);
        expect(known.isIn(text)).toBe(places.length > 0);
      }),
    );
  });

  it('reach to the end of the longest, and begin with six characters', () => {
    const known = new KnownValues(['abcdef', 'abcdefgh', 'short']);
    expect(known.spans('a short abcdefghi')).toEqual([{ start: 8, end: 16, kind: 'known value' }]);
  });

  it('are found among many, and no more once they are deleted', () => {
    const values = Array.from({ length: 2000 }, (_, index) => `value-${index}-${(index * 7919) % 1000}`);
    const known = new KnownValues(values);
    expect(values.every(value => known.isIn(`say ${value}, please`))).toBe(true);
    known.delete('value-7-433');
    expect(known.isIn('say value-7-433, please')).toBe(false);
  });
});
