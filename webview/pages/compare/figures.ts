import type { AgentFigures, ComparedTask, Comparison, PairVerdict } from '../../../protocol/comparison.ts';
import { plural, toReward } from '../../../protocol/figures.ts';
import { visible } from '../../../protocol/visibleText.ts';

export type Attempt = ComparedTask['attempts'][number][number];

/** An agent that stands in the plot of cost against reward. */
export interface Point {
  readonly label: string;
  readonly costUsd: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly isOnFront: boolean;
}

/** Agents with a price and a reward, in the order of the table; controls have no place there. */
export function pointsOf(agents: readonly AgentFigures[]): Point[] {
  return agents.flatMap(({ label, reward, costPerTrial, isOnFront }) =>
    isOnFront === null || reward === null || costPerTrial.amountUsd === null
      ? []
      : [{ label, costUsd: costPerTrial.amountUsd, mean: reward.mean, low: reward.low, high: reward.high, isOnFront }],
  );
}

/** The paired verdict as a sentence about the first of the two. */
export function verdictWords({ first, second, tasks, better, isEnough, moreTasks }: PairVerdict): string {
  const [a, b] = [visible(first), visible(second)];
  if (isEnough) return `${a} beats ${b} on ${better} of ${tasks} ${plural(tasks, 'task')}`;
  if (moreTasks === null) return `${a} against ${b}: no difference was seen`;
  if (moreTasks === 0) return `${a} against ${b}: the pairs together leave it open`;
  const more = moreTasks > 500 ? 'many hundreds of tasks more' : `about ${moreTasks} more ${plural(moreTasks, 'task')}`;
  return `${a} against ${b}: ${more} would settle it, if the difference holds`;
}

export function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
}

/** `p = 0.02`, never a p of 0. */
export function pWords(pValue: number): string {
  return pValue < 0.001 ? 'p < 0.001' : `p = ${pValue.toFixed(pValue < 0.1 ? 3 : 2)}`;
}

/** `0.67`; no verdict is a dash. */
export function meanReward(attempts: readonly Attempt[]): string {
  const rewards = attempts.flatMap(({ reward }) => reward ?? []);
  return toReward(rewards.length === 0 ? null : rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length);
}

/** The most attempts for which a chance of passing is known. */
export function mostAttempts({ agents }: Pick<Comparison, 'agents'>): number {
  return agents.flatMap(agent => agent.passRates.map(rate => rate.k)).reduce((most, k) => Math.max(most, k), 1);
}

/** 1, 2 or 5 times a power of ten that is not below the value. */
export function niceAbove(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find(step => step * power >= value) ?? 10) * power;
}
