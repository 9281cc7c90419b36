import type { Regrade, RunEvent, RunSummary, TrialSummary } from '../../../protocol/runs.ts';
import {
  isRetriable,
  lacksJudge,
  type TrialState,
  type TrialTally,
  tallyOf,
  trialState,
} from '../../../protocol/trialState.ts';
import { addCost, addUsage, type Cost, noCost, noUsage, totalTokens, type Usage } from '../../../protocol/usage.ts';

/** What the run page knows, from one answer and the events after it. Nothing here touches the document. */
export class RunModel {
  run: RunSummary | null = null;
  readonly #trials = new Map<string, TrialSummary>();
  readonly #journal: RunEvent[] = [];
  #regrades = new Map<string, Regrade>();

  /** In plan order: task, agent, attempt, as the server answered. */
  get trials(): readonly TrialSummary[] {
    return [...this.#trials.values()];
  }

  get journal(): readonly RunEvent[] {
    return this.#journal;
  }

  /** Highest journal number known without a gap. */
  get lastSeq(): number {
    return this.#journal.at(-1)?.seq ?? 0;
  }

  trial(id: string | null): TrialSummary | undefined {
    return id === null ? undefined : this.#trials.get(id);
  }

  /** The latest verdict given anew to what a trial left. */
  regrade(trialId: string): Regrade | undefined {
    return this.#regrades.get(trialId);
  }

  /** Trials without a verdict whose machine failed or that were stopped. */
  get retriable(): readonly TrialSummary[] {
    return this.trials.filter(isRetriable);
  }

  /** Trials that lacked nothing but a judge, and were not judged anew since. */
  get unjudged(): readonly TrialSummary[] {
    return this.trials.filter(trial => lacksJudge(trial) && (this.regrade(trial.id)?.after ?? null) === null);
  }

  load(run: RunSummary, trials: readonly TrialSummary[], regrades: readonly Regrade[] = []): void {
    this.run = run;
    this.#regrades = new Map(regrades.map(regrade => [regrade.trialId, regrade]));
    this.#trials.clear();
    for (const trial of trials) this.#trials.set(trial.id, trial);
  }

  change(trial: TrialSummary): void {
    this.#trials.set(trial.id, trial);
  }

  /** Adds the next line of the journal. False when lines before it are missing: then they must be fetched. */
  append(event: RunEvent): boolean {
    if (event.seq <= this.lastSeq) return true;
    if (event.seq > this.lastSeq + 1) return false;
    this.#journal.push(event);
    return true;
  }

  eventsOf(trialId: string): RunEvent[] {
    return this.#journal.filter(event => event.trialId === trialId);
  }

  usage(): Usage {
    return this.trials.reduce((sum, trial) => addUsage(sum, trial.usage), noUsage);
  }

  /** How many trials are in each state, most advanced first. */
  stateCounts(): [state: TrialState, count: number][] {
    const counts = new Map<TrialState, number>();
    for (const trial of this.trials) {
      const state = trialState(trial);
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    return legendOrder.flatMap(state => {
      const count = counts.get(state);
      return count === undefined ? [] : [[state, count] as [TrialState, number]];
    });
  }

  byAgent(): AgentFigures[] {
    const labels = [...new Set(this.trials.map(trial => trial.agentLabel))];
    return labels.map(label =>
      agentFigures(
        label,
        this.trials.filter(trial => trial.agentLabel === label),
      ),
    );
  }
}

const legendOrder: readonly TrialState[] = [
  'passed',
  'partial',
  'failed',
  'agentFailed',
  'timedOut',
  'budgetSpent',
  'diskSpent',
  'stalled',
  'errored',
  'lost',
  'cancelled',
  'building',
  'agent',
  'verifying',
  'queued',
];

export interface AgentFigures extends TrialTally {
  readonly label: string;
  /** Mean over the trials with a verdict; null without one. */
  readonly meanReward: number | null;
  readonly tokens: number | null;
  readonly cost: Cost;
  readonly medianAgentMs: number | null;
}

function agentFigures(label: string, trials: readonly TrialSummary[]): AgentFigures {
  const rewards = trials.flatMap(trial => trial.reward ?? []);
  const usage = trials.reduce((sum, trial) => addUsage(sum, trial.usage), noUsage);
  return {
    label,
    ...tallyOf(trials),
    meanReward: mean(rewards),
    tokens: totalTokens(usage),
    cost: trials.map(trial => trial.cost).reduce(addCost, noCost),
    medianAgentMs: median(trials.flatMap(trial => trial.agentMs ?? [])),
  };
}

export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.ceil((sorted.length - 1) / 2)];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

export interface PhaseTimes {
  readonly buildMs: number;
  readonly agentMs: number;
  readonly verifyMs: number;
  readonly totalMs: number;
}

/**
 * Time in each phase up to now; the running phase grows with the clock. Null before the trial starts, and for one whose
 * verdict is that of an earlier run: nothing was run in this one.
 */
export function phaseTimes(trial: TrialSummary, nowMs: number): PhaseTimes | null {
  if (trial.startedAt === null || trial.reusedFrom !== undefined) return null;
  const endMs = trial.finishedAt === null ? nowMs : Date.parse(trial.finishedAt);
  const totalMs = Math.max(0, endMs - Date.parse(trial.startedAt));
  const known = (trial.buildMs ?? 0) + (trial.agentMs ?? 0) + (trial.verifyMs ?? 0);
  const rest = Math.max(0, totalMs - known);
  const live = (phase: string, value: number | null) => (trial.phase === phase ? (value ?? 0) + rest : (value ?? 0));
  return {
    buildMs: live('building', trial.buildMs),
    agentMs: live('agent', trial.agentMs),
    verifyMs: live('verifying', trial.verifyMs),
    totalMs,
  };
}
