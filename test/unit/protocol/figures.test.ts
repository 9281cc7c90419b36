import { describe, expect, it } from 'vitest';
import { noFigure, toClock, toCount, toDuration, toMoney, toReward, toSize } from '../../../protocol/figures.ts';

describe('figures', () => {
  it('gives short times in seconds with one decimal, longer ones as a clock', () => {
    expect(toDuration(400)).toBe('0.4 s');
    expect(toDuration(9_999)).toBe('10.0 s');
    expect(toDuration(10_000)).toBe('0:10');
    expect(toDuration(3_723_000)).toBe('1:02:03');
    expect(toClock(7_900)).toBe('0:07');
  });

  it('rounds token counts so that no unit overflows', () => {
    expect([0, 840, 1000, 99_949, 99_950, 999_499, 999_500, 14_200_000].map(toCount)).toEqual([
      '0',
      '840',
      '1.0 k',
      '99.9 k',
      '100 k',
      '999 k',
      '1.0 M',
      '14.2 M',
    ]);
  });

  it('never shows 0 for what is not known', () => {
    expect(toDuration(null)).toBe(noFigure);
    expect(toCount(null)).toBe(noFigure);
    expect(toReward(null)).toBe(noFigure);
    expect(toMoney({ amountUsd: null, kind: 'none' })).toBe(noFigure);
    expect(toMoney({ amountUsd: null, kind: 'replay' })).toBe(noFigure);
    expect(toMoney({ amountUsd: null, kind: 'unpriced' })).toBe('unpriced');
  });

  it('shows a tiny cost as more than nothing', () => {
    expect(toMoney({ amountUsd: 0.001, kind: 'priced' })).toBe('< $0.01');
    expect(toMoney({ amountUsd: 0, kind: 'priced' })).toBe('$0.00');
    expect(toMoney({ amountUsd: 9.837, kind: 'priced' })).toBe('$9.84');
  });

  it('shows the part of a cost that is known as a part', () => {
    expect(toMoney({ amountUsd: 0.58, kind: 'unpriced' })).toBe('$0.58 + unpriced');
    expect(toMoney({ amountUsd: 0.001, kind: 'unpriced' })).toBe('< $0.01 + unpriced');
  });

  it('gives sizes in decimal units', () => {
    expect([840, 4_200, 999_949, 1_100_000].map(toSize)).toEqual(['840 B', '4.2 kB', '999.9 kB', '1.1 MB']);
  });
});
