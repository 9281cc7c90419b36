import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hunk } from '../../../../protocol/reviews.ts';
import { acceptHunks, lineBreakOf, withLineBreaksOf } from '../../../../server/bench/reviews/lines.ts';

/** Runs of lines that stay, and between them what stands in the start and in the end; never both empty. */
const line = fc.constantFrom('a\n', 'b\r\n', '@@ -1 +1 @@\n', 'ü\n', '\n');
const lines = fc.array(line, { maxLength: 4 });
const changed = fc.tuple(lines, lines).filter(([start, end]) => start.length + end.length > 0);
const parts = fc.array(fc.record({ kept: fc.array(line, { minLength: 1, maxLength: 4 }), changed }), { maxLength: 6 });

interface Part {
  readonly kept: readonly string[];
  readonly changed: readonly [start: readonly string[], end: readonly string[]];
}

function textOf(all: readonly Part[], side: (index: number) => 0 | 1): Buffer {
  return Buffer.from(all.flatMap((part, index) => [...part.kept, ...part.changed[side(index)]]).join(''));
}

function hunksOf(all: readonly Part[]): Hunk[] {
  let [start, end] = [0, 0];
  return all.map(({ kept, changed: [before, after] }) => {
    start += kept.length;
    end += kept.length;
    const at = (from: number, count: number) => ({ line: count === 0 ? from : from + 1, count });
    const hunk = { start: at(start, before.length), end: at(end, after.length) };
    start += before.length;
    end += after.length;
    return hunk;
  });
}

describe('accepting hunks', () => {
  it('takes the accepted ones and leaves the others, byte by byte, whatever the lines look like', () => {
    fc.assert(
      fc.property(parts, fc.array(fc.nat(6)), (all, chosen) => {
        const accepted = new Set(chosen);
        const [start, end] = [textOf(all, () => 0), textOf(all, () => 1)];
        const expected = textOf(all, index => (accepted.has(index) ? 1 : 0));
        expect(acceptHunks(start, end, hunksOf(all), accepted).equals(expected)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

it.each([
  ['text', 'a\nb\n', '\n'],
  ['text of Windows', 'a\r\nb\r\n', '\r\n'],
  ['one line', 'a', 'none'],
  ['mixed line breaks', 'a\r\nb\n', null],
  ['old line breaks', 'a\rb\n', null],
  ['a byte order mark', '\uFEFFa\n', null],
])('knows whether an editor keeps %s as it is', (_, text, expected) => {
  expect(lineBreakOf(Buffer.from(text))).toBe(expected);
});

it('knows that an editor would not keep what is not UTF-8', () => {
  expect(lineBreakOf(Buffer.from([0x61, 0xe9, 0x0a]))).toBeNull();
});

it('gives a change the line breaks of the file on the disk only where git had turned all of them', () => {
  const change = (disk: string, base: string) =>
    withLineBreaksOf(Buffer.from(disk), Buffer.from(base), Buffer.from('x\ny\n')).toString();
  expect(change('a\r\nb\r\n', 'a\nb\n')).toBe('x\r\ny\r\n');
  expect(change('a\nb\n', 'a\nb\n')).toBe('x\ny\n');
  expect(change('a\r\nb\n', 'a\nb\n')).toBe('x\ny\n');
  expect(change('a\r\nb\r\n', 'a\r\nb\r\n')).toBe('x\ny\n');
});
