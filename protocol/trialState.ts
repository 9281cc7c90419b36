import { assertNever } from './errors.ts';
import type { TrialSummary } from './runs.ts';

/** Where a trial stands, as lists, matrices and reports tell it. */
export type TrialState =
  | 'queued'
  | 'building'
  | 'agent'
  | 'verifying'
  | 'passed'
  | 'partial'
  | 'failed'
  | 'agentFailed'
  | 'timedOut'
  | 'budgetSpent'
  | 'diskSpent'
  | 'stalled'
  | 'cancelled'
  | 'lost'
  | 'errored';

export function trialState(trial: Pick<TrialSummary, 'phase' | 'end' | 'reward'>): TrialState {
  if (trial.phase !== 'done') return trial.phase;
  switch (trial.end) {
    case null:
      return 'lost';
    case 'verified':
      if (trial.reward === null) return 'errored';
      return trial.reward >= 1 ? 'passed' : trial.reward <= 0 ? 'failed' : 'partial';
    case 'agentFailed':
    case 'timedOut':
    case 'budgetSpent':
    case 'diskSpent':
    case 'stalled':
    case 'cancelled':
    case 'lost':
    case 'errored':
      return trial.end;
    default:
      return assertNever(trial.end);
  }
}

/** Whether resuming the run begins an ended trial again: its machine failed, or it was stopped. Verdicts stay. */
export function isRetriable({ end, reward, error }: Pick<TrialSummary, 'end' | 'reward' | 'error'>): boolean {
  if (reward !== null || lacksJudge({ end, error })) return false;
  return end === 'errored' || end === 'lost' || end === 'cancelled';
}

/** Whether a judge is all that a trial lacks: its agent's work is there, and judging that anew runs no agent. */
export function lacksJudge({ end, error }: Pick<TrialSummary, 'end' | 'error'>): boolean {
  return end === 'errored' && error?.code === 'judge.missing';
}

/** What came of trials. A cancelled one is neither judged nor errored. */
export interface TrialTally {
  readonly total: number;
  /** With a reward, and so in every mean. */
  readonly verdicts: number;
  /** The machine's faults, among them what was lost: no reward, in no mean. */
  readonly errored: number;
}

export function tallyOf(trials: readonly Pick<TrialSummary, 'phase' | 'end' | 'reward'>[]): TrialTally {
  const isErrored = (state: TrialState) => state === 'errored' || state === 'lost';
  return {
    total: trials.length,
    verdicts: trials.filter(trial => trial.reward !== null).length,
    errored: trials.filter(trial => isErrored(trialState(trial))).length,
  };
}
