import { mean, type TaskRewards } from './estimate.ts';

/** Chance that at least one of k attempts solves a task, unbiased, from `solved` of `attempts` (Chen et al., 2021). */
export function passAtK(attempts: number, solved: number, k: number): number {
  return 1 - noneOf(attempts, solved, k);
}

/** Chance that all of k attempts solve a task, unbiased (pass^k). */
export function passHatK(attempts: number, solved: number, k: number): number {
  return noneOf(attempts, attempts - solved, k);
}

/** Chance to draw k of `attempts` without one of `marked`: C(attempts − marked, k) / C(attempts, k). */
function noneOf(attempts: number, marked: number, k: number): number {
  let chance = 1;
  for (let drawn = 0; drawn < k; drawn++) chance *= Math.max(0, attempts - marked - drawn) / (attempts - drawn);
  return chance;
}

export interface PassRates {
  readonly k: number;
  readonly passAtK: number;
  readonly passHatK: number;
  /** Tasks with at least k verdicts; the others are left out. */
  readonly tasks: number;
}

/** For k = 1, 2, 4, … and the most attempts that any task has. Solved is a reward of 1. */
export function passRates(rewards: TaskRewards): PassRates[] {
  const tasks = [...rewards.values()];
  const most = Math.max(0, ...tasks.map(attempts => attempts.length));
  const ks = Array.from({ length: 32 }, (_, power) => 2 ** power).filter(k => k < most);
  return [...ks, ...(most > 0 ? [most] : [])].map(k => {
    const enough = tasks.filter(attempts => attempts.length >= k);
    const over = (rate: typeof passAtK) =>
      mean(enough.map(attempts => rate(attempts.length, attempts.filter(reward => reward === 1).length, k)));
    return { k, passAtK: over(passAtK), passHatK: over(passHatK), tasks: enough.length };
  });
}
