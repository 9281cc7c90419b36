import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { expect, it, onTestFinished } from 'vitest';
import { holdOptimizers, releaseOptimizers } from '../../../server/base/optimizers.ts';

/** Bit of V8's OptimizationStatus for a function that Maglev or TurboFan has compiled. */
const optimized = 1 << 4;

it('lets nothing be optimized until there is work, and then everything', () => {
  onTestFinished(releaseOptimizers);
  setFlagsFromString('--allow-natives-syntax');
  const status = runInThisContext('of => %GetOptimizationStatus(of)') as (of: object) => number;
  holdOptimizers();
  const sum = new Function('until', 'let sum = 0; for (let i = 0; i < until; i++) sum += i; return sum;') as Summing;
  expect(becomesOptimized(sum, status)).toBe(false);
  releaseOptimizers();
  expect(becomesOptimized(sum, status)).toBe(true);
});

type Summing = (until: number) => number;

function becomesOptimized(sum: Summing, status: (of: object) => number): boolean {
  for (const until = Date.now() + 2000; Date.now() < until; ) {
    for (let call = 0; call < 1000; call++) sum(100);
    if ((status(sum) & optimized) !== 0) return true;
  }
  return false;
}
