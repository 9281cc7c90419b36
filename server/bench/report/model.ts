import type { Comparison } from '../../../protocol/comparison.ts';
import { plural } from '../../../protocol/figures.ts';
import type { IntegrityFlag } from '../../../protocol/integrity.ts';
import type { RubricVerdict, ScoreWeights } from '../../../protocol/rubric.ts';
import type { Regrade, RunSummary, StepVerdict, TrialSummary } from '../../../protocol/runs.ts';
import { compareTrials } from './comparison.ts';

/** A run's report: the same figures for the page and for programs. */
export interface ReportModel extends Comparison {
  readonly run: RunSummary;
  /** What a person should look at, per trial that has something; it changes no figure. */
  readonly flags: readonly { readonly trial: string; readonly flags: readonly IntegrityFlag[] }[];
  readonly rubrics: readonly JudgedTrial[];
  /** Trials whose verdict is that of an earlier one. */
  readonly reused: readonly { readonly trial: string; readonly from: string }[];
  /** The latest verdict given anew to what a trial left; the figures rest on the first one. */
  readonly regraded: readonly ({ readonly trial: string } & Pick<Regrade, 'at' | 'before' | 'after'>)[];
  readonly steps: readonly { readonly trial: string; readonly verdicts: readonly StepVerdict[] }[];
  readonly errors: readonly { readonly trial: string; readonly message: string }[];
}

/** A trial whose task has a rubric. */
export interface JudgedTrial {
  readonly trial: string;
  readonly task: string;
  readonly agent: string;
  readonly weights: ScoreWeights;
  readonly rubric: RubricVerdict;
}

export function toReport(
  run: RunSummary,
  trials: readonly TrialSummary[],
  regrades: readonly Regrade[] = [],
): ReportModel {
  const comparison = compareTrials(trials);
  const errors = trials
    .filter(trial => trial.error !== null && trial.reward === null)
    .map(trial => ({
      trial: nameOf(trial),
      message: [trial.error?.message, trial.error?.hint].filter(Boolean).join(' '),
    }));
  const flags = trials.flatMap(trial => (trial.flags ? [{ trial: nameOf(trial), flags: trial.flags }] : []));
  const rubrics = trials.flatMap(trial => {
    const { task, agentLabel: agent, score } = trial;
    return score?.rubric ? [{ trial: nameOf(trial), task, agent, weights: score.weights, rubric: score.rubric }] : [];
  });
  const origins = originsOf(trials, regrades);
  return {
    ...comparison,
    run,
    flags,
    rubrics,
    errors,
    ...origins,
    summary: [...comparison.summary, weight(run, trials)],
  };
}

/** Where verdicts come from that no trial of the run reached as a whole. */
function originsOf(
  trials: readonly TrialSummary[],
  regrades: readonly Regrade[],
): Pick<ReportModel, 'reused' | 'regraded' | 'steps'> {
  return {
    reused: trials.flatMap(trial => (trial.reusedFrom ? [{ trial: nameOf(trial), from: trial.reusedFrom }] : [])),
    regraded: regrades.flatMap(({ trialId, at, before, after }) => {
      const trial = trials.find(({ id }) => id === trialId);
      return trial === undefined ? [] : [{ trial: nameOf(trial), at, before, after }];
    }),
    steps: trials.flatMap(trial => (trial.steps ? [{ trial: nameOf(trial), verdicts: trial.steps }] : [])),
  };
}

function nameOf({ task, agentLabel, attempt }: TrialSummary): string {
  return `${task}, ${agentLabel}, attempt ${attempt}`;
}

/** How much of the run the figures cover. */
function weight(run: RunSummary, trials: readonly TrialSummary[]): string {
  const verdicts = trials.filter(trial => trial.reward !== null).length;
  const told = `${verdicts} of ${trials.length} ${plural(trials.length, 'trial')} reached a verdict`;
  if (run.state !== 'finished') return `The run is ${run.state}: ${told}, and the figures cover only those.`;
  const replays = trials.some(trial => trial.agent.replay !== null);
  return replays ? `${told}; replayed answers show that the way works, not how good a model is.` : `${told}.`;
}
