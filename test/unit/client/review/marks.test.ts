import { beforeEach, describe, expect, it } from 'vitest';
import { Marks } from '../../../../client/review/marks.ts';

const version = (blob: string) => ({ blob, mode: '100644' });
const hunk = { start: { line: 1, count: 1 }, end: { line: 1, count: 1 } };
const text = { path: 'a.txt', start: version('1'), end: version('2'), hunks: [hunk, hunk, hunk] };
const added = { path: 'b.bin', start: null, end: version('3'), hunks: [] };

const kept = new Map<string, unknown>();
const store = {
  get: <T>(key: string) => kept.get(key) as T | undefined,
  update: async (key: string, value: unknown) => void (value === undefined ? kept.delete(key) : kept.set(key, value)),
};
beforeEach(() => kept.clear());

describe('marks of a review', () => {
  it('outlive the window', () => {
    const marks = new Marks(store, 'trial');
    marks.setViewed(text, true);
    marks.decide(text, [0, 2], 'accepted');
    marks.decide(text, [1], 'rejected');
    const again = new Marks(store, 'trial');
    expect(again.viewed(text)).toBe(true);
    expect([0, 1, 2].map(part => again.decision(text, part))).toEqual(['accepted', 'rejected', 'accepted']);
    expect(new Marks(store, 'other').viewed(text)).toBe(false);
  });

  it('say what to merge: some hunks, or a file as a whole', () => {
    const marks = new Marks(store, 'trial');
    expect(marks.accepted([text, added])).toEqual([]);
    marks.decide(text, [0, 2], 'accepted');
    marks.decide(added, [0], 'accepted');
    expect(marks.accepted([text, added])).toEqual([
      { path: 'a.txt', hunks: [0, 2] },
      { path: 'b.bin', hunks: null },
    ]);
    marks.decide(text, [1], 'accepted');
    expect(marks.accepted([text])).toEqual([{ path: 'a.txt', hunks: null }]);
    marks.clearDecisions([text, added]);
    expect(marks.accepted([text, added])).toEqual([]);
  });

  it('are worth nothing once the file is another', () => {
    const marks = new Marks(store, 'trial');
    marks.setViewed(text, true);
    marks.decide(text, [0], 'accepted');
    const changed = { ...text, end: version('4') };
    expect(marks.viewed(changed)).toBe(false);
    expect(marks.accepted([changed])).toEqual([]);
  });

  it('are forgotten after a hundred other reviews', () => {
    for (let review = 0; review <= 100; review++) new Marks(store, `trial ${review}`).setViewed(text, true);
    expect(new Marks(store, 'trial 0').viewed(text)).toBe(false);
    expect(new Marks(store, 'trial 1').viewed(text)).toBe(true);
  });
});
