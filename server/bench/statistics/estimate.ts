/** Rewards of one agent by task, one for each attempt that reached a verdict. */
export type TaskRewards = ReadonlyMap<string, readonly number[]>;

/** A mean reward and its 95 % interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly tasks: number;
  readonly verdicts: number;
}

/** Two-sided 95 % quantile of the normal distribution. */
export const z95 = 1.959963984540054;

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Null when there is no value. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/**
 * Mean over tasks of their mean reward; null without a verdict. Attempts at one task resemble each other, so the
 * interval is Wilson's with as many observations as the spread between tasks is worth: at least the number of tasks,
 * at most the number of verdicts.
 */
export function estimate(rewards: TaskRewards): Estimate | null {
  const attempts = [...rewards.values()].filter(values => values.length > 0);
  if (attempts.length === 0) return null;
  const verdicts = attempts.reduce((sum, values) => sum + values.length, 0);
  const taskMeans = attempts.map(mean);
  const average = mean(taskMeans);
  const [low, high] = wilson(average, effectiveCount(taskMeans, average, verdicts));
  return { mean: average, low, high, tasks: attempts.length, verdicts };
}

function effectiveCount(taskMeans: readonly number[], average: number, verdicts: number): number {
  const tasks = taskMeans.length;
  if (tasks === 1) return verdicts;
  const squares = taskMeans.reduce((sum, value) => sum + (value - average) ** 2, 0);
  const errorVariance = squares / (tasks * (tasks - 1));
  // All or nothing solved: the spread tells nothing, the tasks still do.
  if (average === 0 || average === 1) return tasks;
  const worth = (average * (1 - average)) / errorVariance;
  return Math.min(Math.max(worth, tasks), verdicts);
}

/** Wilson's score interval of a share `share` among `count` observations, with 95 % confidence. */
export function wilson(share: number, count: number): [low: number, high: number] {
  const square = z95 ** 2;
  const centre = share + square / (2 * count);
  const spread = z95 * Math.sqrt((share * (1 - share)) / count + square / (4 * count ** 2));
  const scale = 1 + square / count;
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)];
}
