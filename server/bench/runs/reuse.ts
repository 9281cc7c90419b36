import type { TrialSummary } from '../../../protocol/runs.ts';
import type { NewTrial, RunStore } from './runStore.ts';

/**
 * Finished trials whose verdicts stand for those of planned ones, by the planned trial's id. Each stands for one: three
 * attempts need three. Replays are never taken, since a recording may have changed.
 */
export function findReusable(
  planned: readonly NewTrial[],
  store: Pick<RunStore, 'trialsLike'>,
): ReadonlyMap<string, TrialSummary> {
  const candidates = new Map<string, TrialSummary[]>();
  const found = new Map<string, TrialSummary>();
  for (const { trial, fingerprint } of planned) {
    if (fingerprint === null || trial.agent.replay !== null) continue;
    const left = candidates.get(fingerprint) ?? store.trialsLike(fingerprint).filter(hasOwnVerdict);
    const next = left.shift();
    candidates.set(fingerprint, left);
    if (next !== undefined) found.set(trial.id, next);
  }
  return found;
}

function hasOwnVerdict(trial: TrialSummary): boolean {
  return trial.phase === 'done' && trial.reward !== null && trial.reusedFrom === undefined;
}
