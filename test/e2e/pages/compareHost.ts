import { serve } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import type { Comparison } from '../../../protocol/comparison.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { comparePage } from '../../../protocol/pages.ts';
import { type RunSummary, runs, type TrialSummary } from '../../../protocol/runs.ts';

const absent = (): never => {
  throw new CoachError('internal', 'This host does not do that.');
};

/** Requests of the runs api that no page makes of these hosts. */
export const absentRuns = {
  start: absent,
  plan: absent,
  resume: absent,
  regrade: absent,
  list: absent,
  show: absent,
  events: absent,
  cancel: absent,
  report: absent,
  export: absent,
  compare: absent,
  diff: absent,
  file: absent,
};

/** Answers the page that compares agents. Returns what the page asked the editor to do. */
export function serveComparison(
  channel: Channel,
  shown: { comparison: Comparison; run: RunSummary; trials?: readonly TrialSummary[] },
): string[] {
  const asked: string[] = [];
  serve(
    runs,
    {
      ...absentRuns,
      compare: () => shown.comparison,
      show: () => ({ run: shown.run, trials: [...(shown.trials ?? [])] }),
    },
    channel,
  );
  const done = (what: string) => {
    asked.push(what);
    return { done: true };
  };
  serve(
    comparePage,
    { openTrial: ({ trialId }) => done(`openTrial ${trialId}`), chooseRuns: () => done('chooseRuns') },
    channel,
  );
  return asked;
}
