import type { TrialSummary } from '../../../protocol/runs.ts';

/** The trials of one agent of a comparison. */
export interface TrialsOfAgent {
  readonly label: string;
  readonly trials: readonly TrialSummary[];
}

/** The trial that was run for this one's verdict. */
function originOf(trial: TrialSummary): string {
  return trial.reusedFrom ?? trial.id;
}

/**
 * Verdicts that stand under two agents, since a run took them over from another: by trial, the label of the agent whose
 * they are. That is the one whose run reached them, else the first; its own trials are not in the map.
 */
export function sharedTrials(agents: readonly TrialsOfAgent[]): ReadonlyMap<string, string> {
  const placed = agents.flatMap(({ label, trials }) =>
    trials.filter(trial => trial.reward !== null).map(trial => ({ label, trial })),
  );
  const shared = new Map<string, string>();
  for (const same of Map.groupBy(placed, ({ trial }) => originOf(trial)).values()) {
    const owner = same.find(({ trial }) => trial.reusedFrom === undefined) ?? same[0];
    if (owner === undefined) continue;
    for (const place of same) if (place !== owner) shared.set(place.trial.id, owner.label);
  }
  return shared;
}

/**
 * The trials of two agents without those that both share under the second place: paired with itself, a trial would make a
 * tie that nobody observed.
 */
export function withoutShared(first: TrialsOfAgent, second: TrialsOfAgent): [TrialSummary[], TrialSummary[]] {
  const shared = sharedTrials([first, second]);
  const own = ({ trials }: TrialsOfAgent) => trials.filter(trial => !shared.has(trial.id));
  return [own(first), own(second)];
}
