import { describe, expect, it } from 'vitest';
import { addCost, type Cost, noCost, wholeUsd } from '../../../protocol/usage.ts';

const priced = (amountUsd: number): Cost => ({ amountUsd, kind: 'priced' });
const unpriced: Cost = { amountUsd: null, kind: 'unpriced' };

describe('sums of money', () => {
  it('keep what is known beside what has no price, in any order', () => {
    const sums = [
      [priced(0.5), unpriced, priced(0.25)],
      [unpriced, priced(0.5), priced(0.25)],
      [priced(0.5), priced(0.25), unpriced],
    ].map(costs => costs.reduce(addCost, noCost));
    for (const sum of sums) expect(sum).toEqual({ amountUsd: 0.75, kind: 'unpriced' });
    expect([unpriced, unpriced].reduce(addCost)).toEqual(unpriced);
  });

  it('are whole only where all of it is known', () => {
    const subscription: Cost = { amountUsd: null, kind: 'subscription' };
    expect(wholeUsd(addCost(priced(0.5), priced(1)))).toBe(1.5);
    expect(wholeUsd(addCost(priced(0.5), unpriced))).toBeNull();
    expect(wholeUsd(addCost(unpriced, subscription))).toBeNull();
    expect(wholeUsd(noCost)).toBeNull();
  });
});
