import * as l10n from '@vscode/l10n';
import type { AgentFigures, ComparedTask, Comparison, PairVerdict } from '../../../protocol/comparison.ts';
import { toReward } from '../../../protocol/figures.ts';
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
export function pairWords({ first, second, tasks, better, isEnough, moreTasks }: PairVerdict): string {
  const [a, b] = [visible(first), visible(second)];
  if (isEnough) {
    return tasks === 1
      ? l10n.t('{0} beats {1} on {2} of 1 task', a, b, better)
      : l10n.t('{0} beats {1} on {2} of {3} tasks', a, b, better, tasks);
  }
  if (moreTasks === null) return l10n.t('{0} against {1}: no difference was seen', a, b);
  if (moreTasks === 0) return l10n.t('{0} against {1}: the pairs together leave it open', a, b);
  if (moreTasks > 500) {
    return l10n.t('{0} against {1}: many hundreds of tasks more would settle it, if the difference holds', a, b);
  }
  return moreTasks === 1
    ? l10n.t('{0} against {1}: about 1 more task would settle it, if the difference holds', a, b)
    : l10n.t('{0} against {1}: about {2} more tasks would settle it, if the difference holds', a, b, moreTasks);
}

/** The agent's name without that of its run, which stands on a line of its own. */
export function agentName({ label, runName }: Pick<AgentFigures, 'label' | 'runName'>): string {
  return runName === null ? label : label.slice(0, -` ${runName}`.length);
}

/** Who stands in a column, with the whole id of the run. */
export function columnTitle({ label, runId }: Pick<AgentFigures, 'label' | 'runId'>): string {
  return l10n.t('{0}, run {1}', visible(label), visible(runId));
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
