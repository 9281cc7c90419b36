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
