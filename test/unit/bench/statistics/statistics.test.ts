import { describe, expect, it } from 'vitest';
import { estimate, wilson } from '../../../../server/bench/statistics/estimate.ts';
import { comparePaired, holm, mcnemar, signFlip } from '../../../../server/bench/statistics/paired.ts';
import { passAtK, passHatK, passRates } from '../../../../server/bench/statistics/passRates.ts';

const rewards = (...tasks: number[][]) => new Map(tasks.map((attempts, index) => [`task${index}`, attempts]));

describe('a mean reward', () => {
  // Newcombe (1998), Statistics in Medicine 17, table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('has Wilson’s interval: %i of %i', (solved, count, low, high) => {
    const interval = wilson(solved / count, count);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });

  it('takes one attempt per task as one observation', () => {
    const [low, high] = wilson(0.8, 10);
    expect(estimate(rewards([1], [1], [1], [1], [1], [1], [1], [1], [0], [0]))).toEqual({
      mean: 0.8,
      low,
      high,
      tasks: 10,
      verdicts: 10,
    });
  });

  it('is not surer for attempts that only repeat what the task decides', () => {
    const once = estimate(rewards([1], [0], [1], [0]));
    const often = estimate(rewards([1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]));
    expect(often).toMatchObject({ mean: 0.5, low: once?.low, high: once?.high, verdicts: 16 });
    const independent = estimate(rewards([1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]));
    expect(independent?.low).toBeGreaterThan(once?.low ?? 1);
  });

  it('is unknown without a verdict, and unsure when all is solved', () => {
    expect(estimate(rewards([], []))).toBeNull();
    const [low] = wilson(1, 3);
    expect(estimate(rewards([1, 1], [1, 1], [1, 1]))).toMatchObject({ mean: 1, low, high: 1 });
  });
});

describe('pass rates', () => {
  it('follow from counting draws', () => {
    expect(passAtK(5, 2, 1)).toBeCloseTo(0.4, 12);
    expect(passAtK(5, 2, 3)).toBeCloseTo(0.9, 12);
    expect(passAtK(5, 2, 4)).toBe(1);
    expect(passHatK(5, 4, 2)).toBeCloseTo(0.6, 12);
    expect(passHatK(5, 4, 5)).toBe(0);
    expect([passAtK(3, 0, 3), passHatK(3, 3, 3)]).toEqual([0, 1]);
  });

  it('leave out tasks with too few attempts, and count only full rewards as solved', () => {
    expect(passRates(rewards([1, 0, 1, 1], [0, 0.9]))).toEqual([
      { k: 1, passAtK: 0.375, passHatK: 0.375, tasks: 2 },
      { k: 2, passAtK: 0.5, passHatK: 0.25, tasks: 2 },
      { k: 4, passAtK: 1, passHatK: 0, tasks: 1 },
    ]);
    expect(passRates(rewards())).toEqual([]);
  });
});

describe('a paired comparison', () => {
  it('has McNemar’s exact p', () => {
    expect(mcnemar(1, 8)).toBeCloseTo(20 / 512, 12);
    expect(mcnemar(0, 6)).toBeCloseTo(2 / 64, 12);
    expect(mcnemar(3, 3)).toBe(1);
    expect(mcnemar(0, 0)).toBe(1);
  });

  it('agrees with McNemar where the sign-flip test is exact', () => {
    expect(signFlip([1, 1, 1, 1, 1, 1, 1, 1, -1, 0, 0])).toBeCloseTo(mcnemar(8, 1), 12);
    // Fisher's (1935) test of Darwin's maize, in eighths of an inch: 1,726 of 32,768 patterns.
    const darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
    expect(signFlip(darwin)).toBe(1726 / 32_768);
    // With two small ones more there are too many patterns to try them all.
    const many = [...darwin, 0.5, -0.5];
    expect(Math.abs(signFlip(many) - 1726 / 32_768)).toBeLessThan(0.01);
  });

  it('counts only tasks that both have verdicts of', () => {
    const first = rewards([1], [1], [], [1]);
    const second = rewards([0], [1], [1], []);
    expect(comparePaired(first, second)).toMatchObject({ tasks: 2, difference: 0.5, test: 'mcnemar', pValue: 1 });
    expect(comparePaired(rewards([1]), new Map())).toBeNull();
  });

  it('says how many more tasks would tell, as Connett’s formula does', () => {
    const pairs = (onlyFirst: number, onlySecond: number, same: number) => {
      const a = [...Array(onlyFirst).fill([1]), ...Array(onlySecond).fill([0]), ...Array(same).fill([1])] as number[][];
      const b = [...Array(onlyFirst).fill([0]), ...Array(onlySecond).fill([1]), ...Array(same).fill([1])] as number[][];
      return comparePaired(rewards(...a), rewards(...b));
    };
    // Discordance 0.4, difference 0.2: (1.96 √0.4 + 0.8416 √0.36)² / 0.04 = 76.2.
    expect(pairs(3, 1, 6)).toMatchObject({ difference: expect.closeTo(0.2, 9), moreTasks: 77 - 10 });
    expect(pairs(2, 2, 6)).toMatchObject({ difference: 0, moreTasks: null, pValue: 1 });
    const clear = pairs(30, 0, 10);
    expect(clear).toMatchObject({ moreTasks: 0 });
    expect(clear?.pValue).toBeLessThan(1e-6);
    expect(clear?.low).toBeGreaterThan(0.5);
  });

  it('uses the attempts of each task together', () => {
    const first = rewards([1, 1, 0, 1], [1, 1, 1, 1], [0.5, 0.5]);
    const second = rewards([0, 0, 0, 0], [1, 0, 1, 1], [0.5]);
    const comparison = comparePaired(first, second);
    expect(comparison).toMatchObject({ test: 'permutation', difference: expect.closeTo(1 / 3, 9), pValue: 0.5 });
    expect(comparePaired(first, second)).toEqual(comparison);
  });

  it('adjusts p-values by Holm', () => {
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    expect(adjusted.map(value => Number(value.toFixed(12)))).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([])).toEqual([]);
  });
});
