import type { Comparison } from '../../../protocol/comparison.ts';
import { plural } from '../../../protocol/figures.ts';
import type { RunSummary, TrialSummary } from '../../../protocol/runs.ts';
import { compareTrials } from './comparison.ts';

/** A run's report: the same figures for the page and for programs. */
export interface ReportModel extends Comparison {
  readonly run: RunSummary;
  readonly errors: readonly { readonly trial: string; readonly message: string }[];
}

export function toReport(run: RunSummary, trials: readonly TrialSummary[]): ReportModel {
  const comparison = compareTrials(trials);
  const errors = trials
    .filter(trial => trial.error !== null)
    .map(trial => ({
      trial: `${trial.task}, ${trial.agentLabel}, attempt ${trial.attempt}`,
      message: [trial.error?.message, trial.error?.hint].filter(Boolean).join(' '),
    }));
  return { ...comparison, run, errors, summary: [...comparison.summary, weight(run, trials)] };
}

/** How much of the run the figures cover. */
function weight(run: RunSummary, trials: readonly TrialSummary[]): string {
  const verdicts = trials.filter(trial => trial.reward !== null).length;
  const told = `${verdicts} of ${trials.length} ${plural(trials.length, 'trial')} reached a verdict`;
  if (run.state !== 'finished') return `The run is ${run.state}: ${told}, and the figures cover only those.`;
  const replays = trials.some(trial => trial.agent.replay !== null);
  return replays ? `${told}; replayed answers show that the way works, not how good a model is.` : `${told}.`;
}
