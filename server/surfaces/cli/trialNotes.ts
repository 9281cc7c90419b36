import { toReward } from '../../../protocol/figures.ts';
import type { Regrade, TrialSummary } from '../../../protocol/runs.ts';

/** What a table of trials can't say: whose verdict it is, what it became since, and what each step came to. */
export function trialNotes(trials: readonly TrialSummary[], regrades: readonly Regrade[]): string[] {
  return trials.flatMap(({ id, reusedFrom, steps = [] }) => {
    const again = regrades.find(regrade => regrade.trialId === id);
    return [
      ...(reusedFrom === undefined ? [] : [`Reused: ${id} has the verdict of ${reusedFrom}; nothing was run.`]),
      ...(again === undefined
        ? []
        : [`Regraded: ${id} ${toReward(again.before)} → ${toReward(again.after)} (${again.at}).`]),
      ...(steps.length === 0
        ? []
        : [`Steps: ${id} ${steps.map(step => `${step.name} ${toReward(step.reward)}`).join(', ')}.`]),
    ];
  });
}
