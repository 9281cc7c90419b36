import type { RunSummary, TrialEnd, TrialSummary } from '../../protocol/runs.ts';
import { type Cost, totalTokens } from '../../protocol/usage.ts';
import { addCosts, meanReward } from './score.ts';

/** What a report says about one agent. Means leave out trials without a verdict. */
export interface AgentRow {
  readonly label: string;
  readonly model: string | null;
  readonly version: string | null;
  /** The reference solution and the no-op: they test the tasks, not an agent. */
  readonly isControl: boolean;
  readonly isReplay: boolean;
  readonly trials: number;
  readonly verdicts: number;
  readonly meanReward: number | null;
  readonly tokensPerTrial: number | null;
  /** Total divided by trials. */
  readonly costPerTrial: Cost;
  readonly medianMs: number | null;
  /** How many trials ended in each way; `verified` ones only where tests failed. */
  readonly failures: Partial<Record<TrialEnd, number>>;
}

export interface TaskRow {
  readonly task: string;
  readonly proven: boolean;
  /** Trials by agent label, in the order of the attempts. */
  readonly attempts: Readonly<Record<string, readonly TrialSummary[]>>;
}

export interface ReportModel {
  readonly run: RunSummary;
  /** Best first, controls last. */
  readonly agents: readonly AgentRow[];
  readonly tasks: readonly TaskRow[];
  readonly errors: readonly { readonly trial: string; readonly message: string }[];
  /** What it comes to, in three sentences. */
  readonly summary: readonly string[];
}

export function toReport(run: RunSummary, trials: readonly TrialSummary[]): ReportModel {
  const labels = [...new Set(trials.map(trial => trial.agentLabel))];
  const agents = labels
    .map(label => toAgentRow(trials.filter(trial => trial.agentLabel === label)))
    .toSorted((a, b) => Number(a.isControl) - Number(b.isControl) || (b.meanReward ?? -1) - (a.meanReward ?? -1));
  const tasks = [...new Set(trials.map(trial => trial.task))].map(task => {
    const ofTask = trials.filter(trial => trial.task === task);
    return {
      task,
      proven: ofTask.every(trial => trial.taskProven),
      attempts: Object.fromEntries(labels.map(label => [label, ofTask.filter(trial => trial.agentLabel === label)])),
    };
  });
  const errors = trials
    .filter(trial => trial.error !== null)
    .map(trial => ({
      trial: `${trial.task}, ${trial.agentLabel}, attempt ${trial.attempt}`,
      message: errorText(trial),
    }));
  return { run, agents, tasks, errors, summary: [best(agents, tasks.length), controls(agents), weight(run, trials)] };
}

function toAgentRow(trials: readonly TrialSummary[]): AgentRow {
  const [first] = trials;
  const tokens = trials.map(trial => totalTokens(trial.usage)).filter(count => count !== null);
  const times = trials.map(trial => trial.agentMs).filter(ms => ms !== null);
  const cost = addCosts(trials.map(trial => trial.cost));
  const failures: Partial<Record<TrialEnd, number>> = {};
  for (const { end, reward } of trials) {
    if (end !== null && (end !== 'verified' || (reward ?? 0) < 1)) failures[end] = (failures[end] ?? 0) + 1;
  }
  return {
    label: first?.agentLabel ?? '',
    model: first?.agent.model ?? null,
    version: first?.agentVersion ?? null,
    isControl: ['oracle', 'nop'].includes(first?.agent.id ?? ''),
    isReplay: first?.agent.replay !== null,
    trials: trials.length,
    verdicts: trials.filter(trial => trial.reward !== null).length,
    meanReward: meanReward(trials.map(trial => trial.reward)),
    tokensPerTrial: tokens.length === 0 ? null : tokens.reduce((sum, count) => sum + count, 0) / tokens.length,
    costPerTrial: cost.amountUsd === null ? cost : { ...cost, amountUsd: cost.amountUsd / trials.length },
    medianMs: median(times),
    failures,
  };
}

function best(agents: readonly AgentRow[], tasks: number): string {
  const compared = agents.filter(agent => !agent.isControl && agent.meanReward !== null);
  const [first, second] = compared;
  if (first === undefined) return 'No agent reached a verdict in this run, so there is nothing to compare.';
  const over = `over ${first.verdicts} ${plural(first.verdicts, 'trial')} of ${tasks} ${plural(tasks, 'task')}`;
  if (second === undefined) return `${first.label} reached a mean reward of ${reward(first.meanReward)} ${over}.`;
  if (second.meanReward === first.meanReward) {
    const tied = compared.filter(agent => agent.meanReward === first.meanReward).map(agent => agent.label);
    return `${tied.join(' and ')} did equally well: mean reward ${reward(first.meanReward)} ${over}.`;
  }
  return `${first.label} solved the most: mean reward ${reward(first.meanReward)} ${over}, before ${second.label} with ${reward(second.meanReward)}.`;
}

function controls(agents: readonly AgentRow[]): string {
  const oracle = agents.find(agent => agent.label === 'oracle' && agent.isControl);
  const nop = agents.find(agent => agent.label === 'nop' && agent.isControl);
  if (oracle === undefined && nop === undefined) {
    return 'Neither the reference solution nor the no-op ran along, so this run does not check its tasks.';
  }
  const parts = [
    oracle === undefined ? null : `the reference solution scored ${reward(oracle.meanReward)}`,
    nop === undefined ? null : `changing nothing scored ${reward(nop.meanReward)}`,
  ].filter(part => part !== null);
  const sound = (oracle?.meanReward ?? 1) === 1 && (nop?.meanReward ?? 0) === 0;
  const text = `${parts.join(' and ')}${sound ? ', as it must be' : ', so the tasks or the sandbox are not sound'}.`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function weight(run: RunSummary, trials: readonly TrialSummary[]): string {
  const verdicts = trials.filter(trial => trial.reward !== null).length;
  const replays = trials.some(trial => trial.agent.replay !== null);
  const told = `${verdicts} of ${trials.length} ${plural(trials.length, 'trial')} reached a verdict`;
  if (run.state !== 'finished') return `The run is ${run.state}: ${told}, and the figures cover only those.`;
  if (replays) return `${told}; replayed answers show that the way works, not how good a model is.`;
  return `${told}; the differences have not been tested for chance.`;
}

function errorText({ error }: TrialSummary): string {
  if (error === null) return '';
  return error.hint === null ? error.message : `${error.message} ${error.hint}`;
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[middle - 1], sorted[middle]];
  if (high === undefined) return null;
  return sorted.length % 2 === 1 || low === undefined ? high : (low + high) / 2;
}

function reward(value: number | null): string {
  return value === null ? '–' : value.toFixed(2);
}

function plural(count: number, word: string): string {
  return count === 1 ? word : `${word}s`;
}
