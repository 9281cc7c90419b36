import type { AgentFigures, ComparedTask, Comparison, PairVerdict } from '../../../protocol/comparison.ts';
import type { TrialSummary } from '../../../protocol/runs.ts';
import type { TrialEnd } from '../../../protocol/trialEnd.ts';
import { totalTokens } from '../../../protocol/usage.ts';
import { addCosts } from '../score.ts';
import { estimate, mean, median, type TaskRewards } from '../statistics/estimate.ts';
import { comparePaired, holm } from '../statistics/paired.ts';
import { passRates } from '../statistics/passRates.ts';
import { summarise } from './summary.ts';

/** Chance of being fooled that is taken for small. */
const significance = 0.05;

/**
 * Compares the agents of several runs. One that stands in more than one is taken for another in each, since its settings
 * may have changed in between: its label names the run.
 */
export function compareRuns(runs: readonly (readonly TrialSummary[])[]): Comparison {
  const labels = runs.flatMap(trials => [...new Set(trials.map(trial => trial.agentLabel))]);
  const isShared = (label: string) => labels.indexOf(label) !== labels.lastIndexOf(label);
  return compareTrials(
    runs
      .flat()
      .map(trial =>
        isShared(trial.agentLabel) ? { ...trial, agentLabel: `${trial.agentLabel} (${trial.runId})` } : trial,
      ),
  );
}

/** Compares the agents of some trials by their labels. */
export function compareTrials(trials: readonly TrialSummary[]): Comparison {
  const byLabel = Map.groupBy(trials, trial => trial.agentLabel);
  const figures = [...byLabel].map(([label, own]) => toFigures(label, own));
  const agents = withFront(figures).toSorted(
    (a, b) => Number(a.isControl) - Number(b.isControl) || (b.reward?.mean ?? -1) - (a.reward?.mean ?? -1),
  );
  const pairs = comparePairs(agents, label => rewardsByTask(byLabel.get(label) ?? []));
  const tasks = compareTasks(
    trials,
    agents.map(agent => agent.label),
  );
  return { agents, pairs, tasks, summary: summarise(agents, pairs, tasks.length) };
}

function toFigures(label: string, trials: readonly TrialSummary[]): AgentFigures {
  const [first] = trials;
  const rewards = rewardsByTask(trials);
  const known = (values: readonly (number | null)[]) => values.filter(value => value !== null);
  const cost = addCosts(trials.map(trial => trial.cost));
  return {
    label,
    model: first?.agent.model ?? null,
    version: first?.agentVersion ?? null,
    isControl: ['oracle', 'nop'].includes(first?.agent.id ?? ''),
    isReplay: first?.agent.replay !== null,
    trials: trials.length,
    verdicts: known(trials.map(trial => trial.reward)).length,
    reward: estimate(rewards),
    passRates: passRates(rewards),
    medianMs: median(known(trials.map(trial => trial.agentMs))),
    medianTokens: median(known(trials.map(trial => totalTokens(trial.usage)))),
    costPerTrial: cost.amountUsd === null ? cost : { ...cost, amountUsd: cost.amountUsd / trials.length },
    isOnFront: null,
    failures: failuresOf(trials),
  };
}

function rewardsByTask(trials: readonly TrialSummary[]): TaskRewards {
  const byTask = Map.groupBy(trials, trial => trial.task);
  return new Map(
    [...byTask].map(([task, own]) => [task, own.map(trial => trial.reward).filter(reward => reward !== null)]),
  );
}

function failuresOf(trials: readonly TrialSummary[]): Partial<Record<TrialEnd, number>> {
  const failures: Partial<Record<TrialEnd, number>> = {};
  for (const { end, reward } of trials) {
    if (end !== null && (end !== 'verified' || (reward ?? 0) < 1)) failures[end] = (failures[end] ?? 0) + 1;
  }
  return failures;
}

function withFront(agents: readonly AgentFigures[]): AgentFigures[] {
  const place = ({ isControl, reward, costPerTrial }: AgentFigures) =>
    isControl || reward === null || costPerTrial.amountUsd === null
      ? null
      : { reward: reward.mean, cost: costPerTrial.amountUsd };
  const places = agents.map(place).filter(known => known !== null);
  return agents.map(agent => {
    const own = place(agent);
    if (own === null) return agent;
    const isBeaten = places.some(
      ({ reward, cost }) => reward >= own.reward && cost <= own.cost && (reward > own.reward || cost < own.cost),
    );
    return { ...agent, isOnFront: !isBeaten };
  });
}

/** The best agent against each of the others. */
function comparePairs(agents: readonly AgentFigures[], rewardsOf: (label: string) => TaskRewards): PairVerdict[] {
  const [best, ...others] = agents.filter(agent => !agent.isControl && agent.reward !== null);
  if (best === undefined) return [];
  const first = rewardsOf(best.label);
  const pairs = others.flatMap(other => {
    const second = rewardsOf(other.label);
    const paired = comparePaired(first, second);
    return paired === null ? [] : [{ second: other.label, paired, counts: winsAndLosses(first, second) }];
  });
  const adjusted = holm(pairs.map(pair => pair.paired.pValue));
  return pairs.map(({ second, paired, counts }, index) => {
    const pValue = adjusted[index] ?? 1;
    return { first: best.label, second, ...paired, ...counts, pValue, isEnough: pValue < significance };
  });
}

function winsAndLosses(first: TaskRewards, second: TaskRewards) {
  const counts = { better: 0, worse: 0, equal: 0 };
  for (const [task, attempts] of first) {
    const others = second.get(task) ?? [];
    if (attempts.length === 0 || others.length === 0) continue;
    const difference = mean(attempts) - mean(others);
    counts[difference > 0 ? 'better' : difference < 0 ? 'worse' : 'equal']++;
  }
  return counts;
}

function compareTasks(trials: readonly TrialSummary[], labels: readonly string[]): ComparedTask[] {
  const tasks = [...Map.groupBy(trials, trial => trial.task)].map(([task, own]) => ({
    task,
    proven: own.every(trial => trial.taskProven),
    basis: own[0]?.proofBasis ?? 'tests',
    attempts: labels.map(label =>
      own
        .filter(trial => trial.agentLabel === label)
        .toSorted((a, b) => a.attempt - b.attempt)
        .map(({ id, reward, end }) => ({ trialId: id, reward, end })),
    ),
  }));
  const disagreement = new Map(tasks.map(({ task, attempts }) => [task, spread(attempts)]));
  return tasks.toSorted((a, b) => (disagreement.get(b.task) ?? 0) - (disagreement.get(a.task) ?? 0));
}

/** Highest mean reward of an agent at a task less the lowest. */
function spread(attempts: ComparedTask['attempts']): number {
  const means = attempts
    .map(own => own.map(({ reward }) => reward).filter(reward => reward !== null))
    .filter(rewards => rewards.length > 0)
    .map(mean);
  return means.length === 0 ? 0 : Math.max(...means) - Math.min(...means);
}
