import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualRows } from '../../../webview/components/virtualRows.ts';

describe('rows of which only some are drawn', () => {
  it('stand where guesses and measured heights put them', () => {
    const rows = new VirtualRows();
    rows.set(['a', 'b', 'c'], () => 20);
    expect(rows.heightPx).toBe(60);
    expect(rows.measure('a', 50)).toBe(true);
    expect(rows.measure('a', 50.2)).toBe(false);
    expect([rows.topOf(1), rows.topOf(2), rows.heightPx]).toEqual([50.2, 70.2, 90.2]);
    expect(rows.range(60, 75)).toEqual([1, 3]);
    expect(rows.range(-500, 0)).toEqual([0, 1]);
  });

  it('keep what was measured when others come and go', () => {
    const rows = new VirtualRows();
    rows.set(['a', 'b'], () => 20);
    rows.measure('b', 70);
    rows.set(['b', 'c'], () => 20);
    expect([rows.indexOf('a'), rows.indexOf('b'), rows.topOf(1)]).toEqual([null, 0, 70]);
  });

  it('cover any window without a gap', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: -100, max: 20_000 }),
        fc.integer({ min: 1, max: 2000 }),
        (heights, from, length) => {
          const rows = new VirtualRows();
          rows.set(
            heights.map((_, index) => String(index)),
            key => heights[Number(key)] ?? 0,
          );
          const [first, end] = rows.range(from, from + length);
          expect(rows.topOf(first)).toBeLessThanOrEqual(Math.max(0, from));
          expect(rows.topOf(end)).toBeGreaterThanOrEqual(Math.min(rows.heightPx, from + length));
          expect(end - first).toBeLessThanOrEqual(length + 2);
        },
      ),
    );
  });
});
