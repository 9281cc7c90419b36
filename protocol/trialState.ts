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
