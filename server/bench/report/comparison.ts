import type { AgentFigures, ComparedTask, Comparison, PairVerdict } from '../../../protocol/comparison.ts';
import type { TrialSummary } from '../../../protocol/runs.ts';
import type { TrialEnd } from '../../../protocol/trialEnd.ts';
import { totalTokens, wholeUsd } from '../../../protocol/usage.ts';
import { estimate, mean, median, type TaskRewards } from '../statistics/estimate.ts';
import { comparePaired, holm } from '../statistics/paired.ts';
import { passRates } from '../statistics/passRates.ts';
import { addCosts } from '../verifier/score.ts';
import { type NamedRun, runNames } from './runNames.ts';
import { sharedTrials, type TrialsOfAgent, withoutShared } from './sharedTrials.ts';
import { isRanked, summarise } from './summary.ts';

/** Chance of being fooled that is taken for small. */
const significance = 0.05;

/** An agent in one of the runs. */
interface Column extends TrialsOfAgent {
  readonly runName: string | null;
}

/**
 * Compares the agents of several runs. One that stands in more than one is taken for another in each, since its settings
 * may have changed in between: its label says when the run began.
 */
export function compareRuns(
  runs: readonly { readonly run: NamedRun; readonly trials: readonly TrialSummary[] }[],
): Comparison {
  const names = runNames(runs.map(({ run }) => run));
  const columns = runs.flatMap(({ run, trials }) =>
    [...Map.groupBy(trials, trial => trial.agentLabel)].map(([label, own]) => ({ label, run, trials: own })),
  );
  const isShared = (label: string) => columns.filter(column => column.label === label).length > 1;
  return compareColumns(
    columns.map(({ label, run, trials }) => {
      const runName = isShared(label) ? (names.get(run.id) ?? run.id) : null;
      return { label: runName === null ? label : `${label} ${runName}`, runName, trials };
    }),
  );
}

/** Compares the agents of one run's trials by their labels. */
export function compareTrials(trials: readonly TrialSummary[]): Comparison {
  const byLabel = Map.groupBy(trials, trial => trial.agentLabel);
  return compareColumns([...byLabel].map(([label, own]) => ({ label, runName: null, trials: own })));
}

function compareColumns(columns: readonly Column[]): Comparison {
  const shared = sharedTrials(columns);
  const figures = columns.map(column => toFigures(column, shared));
  const agents = withFront(figures).toSorted(
    (a, b) =>
      Number(a.isControl) - Number(b.isControl) ||
      Number(isRanked(b)) - Number(isRanked(a)) ||
      (b.reward?.mean ?? -1) - (a.reward?.mean ?? -1),
  );
  const ordered = agents.flatMap(({ label }) => columns.find(column => column.label === label) ?? []);
  const pairs = comparePairs(ordered.slice(0, agents.filter(isRanked).length));
  return { agents, pairs, tasks: compareTasks(ordered, shared), summary: summarise(agents, pairs) };
}

function toFigures({ label, runName, trials }: Column, shared: ReadonlyMap<string, string>): AgentFigures {
  const [first] = trials;
  const rewards = rewardsByTask(trials);
  const known = (values: readonly (number | null)[]) => values.filter(value => value !== null);
  const cost = addCosts(trials.map(trial => trial.cost));
  const costUsd = wholeUsd(cost);
  const perTrialUsd = costUsd === null ? null : costUsd / trials.length;
  return {
    label,
    runName,
    runId: first?.runId ?? '',
    agentId: first?.agent.id ?? '',
    model: first?.agent.model ?? null,
    version: first?.agentVersion ?? null,
    isControl: ['oracle', 'nop'].includes(first?.agent.id ?? ''),
    isReplay: first?.agent.replay !== null,
    trials: trials.length,
    verdicts: known(trials.map(trial => trial.reward)).length,
    shared: countShared(trials, shared),
    reward: estimate(rewards),
    passRates: passRates(rewards),
    medianMs: median(known(trials.map(trial => trial.agentMs))),
    medianTokens: median(known(trials.map(trial => totalTokens(trial.usage)))),
    costPerTrial: { ...cost, amountUsd: perTrialUsd },
    isOnFront: null,
    failures: failuresOf(trials),
  };
}

function countShared(trials: readonly TrialSummary[], shared: ReadonlyMap<string, string>): AgentFigures['shared'] {
  const owners = Map.groupBy(trials, trial => shared.get(trial.id));
  return [...owners].flatMap(([owner, own]) => (owner === undefined ? [] : [{ with: owner, verdicts: own.length }]));
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

/** The best agent against each of the others, best first. */
function comparePairs(columns: readonly Column[]): PairVerdict[] {
  const [best, ...others] = columns;
  if (best === undefined) return [];
  const pairs = others.flatMap(other => {
    const own = withoutShared(best, other);
    const [first, second] = [rewardsByTask(own[0]), rewardsByTask(own[1])];
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

function compareTasks(columns: readonly Column[], shared: ReadonlyMap<string, string>): ComparedTask[] {
  const trials = columns.flatMap(column => column.trials);
  const tasks = [...Map.groupBy(trials, trial => trial.task)].map(([task, own]) => ({
    task,
    proven: own.every(trial => trial.taskProven),
    basis: own[0]?.proofBasis ?? 'tests',
    attempts: columns.map(column =>
      column.trials
        .filter(trial => trial.task === task)
        .toSorted((a, b) => a.attempt - b.attempt)
        .map(({ id, reward, end }) => {
          const sharedWith = shared.get(id);
          return { trialId: id, reward, end, ...(sharedWith === undefined ? {} : { sharedWith }) };
        }),
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
