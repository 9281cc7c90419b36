import { mean, type TaskRewards, z95 } from './estimate.ts';
import { randomSource } from './random.ts';

/** Two agents on the tasks that both have verdicts of. */
export interface PairedComparison {
  readonly tasks: number;
  /** Mean reward of the first minus that of the second. */
  readonly difference: number;
  /** 95 % interval of the difference, by resampling tasks. */
  readonly low: number;
  readonly high: number;
  readonly pValue: number;
  /** McNemar's exact test for one binary verdict per task and agent; else a sign-flip permutation of the tasks. */
  readonly test: 'mcnemar' | 'permutation';
  /**
   * Further tasks of this kind after which a difference as large as the one seen would show at 5 % with a chance of
   * 80 %; 0 when it is large enough already, null when no difference was seen.
   */
  readonly moreTasks: number | null;
}

/** 80 % quantile of the normal distribution. */
const z80 = 0.8416212335729143;
const resamples = 10_000;
/** Up to here every pattern of signs is tried. */
const exactTasks = 16;

/** Null when the two share no task. */
export function comparePaired(first: TaskRewards, second: TaskRewards): PairedComparison | null {
  const shared = [...first.keys()].filter(task => first.get(task)?.length && second.get(task)?.length);
  if (shared.length === 0) return null;
  const rewardsOf = (rewards: TaskRewards) => shared.map(task => rewards.get(task) ?? []);
  const [a, b] = [rewardsOf(first), rewardsOf(second)];
  const differences = a.map((attempts, index) => mean(attempts) - mean(b[index] ?? []));
  const isBinary = [...a, ...b].every(attempts => attempts.length === 1 && (attempts[0] === 0 || attempts[0] === 1));
  const [low, high] = resampledInterval(differences);
  return {
    tasks: shared.length,
    difference: mean(differences),
    low,
    high,
    pValue: isBinary ? mcnemar(wins(differences), wins(differences.map(value => -value))) : signFlip(differences),
    test: isBinary ? 'mcnemar' : 'permutation',
    moreTasks: moreTasks(differences),
  };
}

function wins(differences: readonly number[]): number {
  return differences.filter(value => value > 0).length;
}

/** Exact two-sided p of McNemar's test: `b` tasks that only the first solved, `c` that only the second did. */
export function mcnemar(b: number, c: number): number {
  const discordant = b + c;
  let tail = 0;
  let term = 0.5 ** discordant;
  for (let k = 0; k <= Math.min(b, c); k++) {
    tail += term;
    term *= (discordant - k) / (k + 1);
  }
  return Math.min(1, 2 * tail);
}

/** How often random signs give a sum as far from 0 as the one seen; exact for few tasks. */
export function signFlip(differences: readonly number[]): number {
  const values = differences.filter(value => value !== 0);
  // A hair's breadth less, so that sums that are equal but for rounding count.
  const seen = Math.abs(values.reduce((sum, value) => sum + value, 0)) - 1e-9;
  const sumWith = (isPositive: (index: number) => boolean) =>
    Math.abs(values.reduce((sum, value, index) => sum + (isPositive(index) ? value : -value), 0));
  if (values.length <= exactTasks) {
    const patterns = 2 ** values.length;
    let extreme = 0;
    for (let pattern = 0; pattern < patterns; pattern++) {
      if (sumWith(index => ((pattern >> index) & 1) === 1) >= seen) extreme++;
    }
    return extreme / patterns;
  }
  const random = randomSource(values.length);
  let extreme = 1;
  for (let round = 0; round < resamples; round++) if (sumWith(() => random() < 0.5) >= seen) extreme++;
  return extreme / (resamples + 1);
}

function resampledInterval(differences: readonly number[]): [low: number, high: number] {
  const random = randomSource(differences.length);
  const means = Array.from({ length: resamples }, () =>
    mean(differences.map(() => differences[Math.floor(random() * differences.length)] ?? 0)),
  ).sort((a, b) => a - b);
  return [means[Math.floor(resamples * 0.025)] ?? 0, means[Math.ceil(resamples * 0.975) - 1] ?? 0];
}

/** Connett, Smith and McHugh's (1987) size for paired differences, less the tasks that there are. */
function moreTasks(differences: readonly number[]): number | null {
  const shift = mean(differences);
  if (shift === 0) return null;
  const square = mean(differences.map(value => value ** 2));
  const needed = (z95 * Math.sqrt(square) + z80 * Math.sqrt(Math.max(0, square - shift ** 2))) ** 2 / shift ** 2;
  return Math.max(0, Math.ceil(needed) - differences.length);
}

/** Holm's adjustment of p-values for their number; in the order given. */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => (pValues[a] ?? 0) - (pValues[b] ?? 0));
  const adjusted: number[] = Array.from({ length: pValues.length });
  let atLeast = 0;
  order.forEach((index, rank) => {
    atLeast = Math.max(atLeast, Math.min(1, (pValues[index] ?? 0) * (pValues.length - rank)));
    adjusted[index] = atLeast;
  });
  return adjusted;
}
