import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import type { Regrade, RunSummary, TrialSummary } from '../../protocol/runs.ts';
import { type Clock, toIso } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Executors } from '../executors/index.ts';
import type { PreparedTask } from '../tasks/preparedTask.ts';
import { prepareEnvironments } from './environments.ts';
import { judgeChange } from './judgeChange.ts';
import type { RunStore } from './runStore.ts';

export interface RegradeDeps {
  readonly store: RunStore;
  readonly executors: Executors;
  readonly clock: Clock;
  readonly log: Log;
  loadTask(root: string, name: string): Promise<PreparedTask>;
}

/**
 * Judges what the trials of a run left by their tasks as they are now, without any agent. What is found stands beside the
 * trials' own verdicts, which nothing changes.
 * @param executor id of an executor, or `auto`
 * @throws CoachError when the run has nothing to judge, or a task is gone
 */
export async function regradeRun(
  run: RunSummary,
  executor: string,
  deps: RegradeDeps,
  signal: AbortSignal,
): Promise<Regrade[]> {
  const { store, clock, log } = deps;
  const judged = await changesOf(store.trials(run.id));
  if (judged.length === 0) {
    throw new CoachError('input.invalid', `No trial of run ${run.id} has left a change to judge.`);
  }
  const names = [...new Set(judged.map(({ trial }) => trial.task))];
  const tasks = new Map<string, PreparedTask>();
  for (const name of names) tasks.set(name, await deps.loadTask(run.repository, name));
  const environments = await prepareEnvironments(
    [...tasks.values()],
    await deps.executors.choose(executor),
    log,
    signal,
  );
  const removals: Promise<void>[] = [];
  try {
    const regrades: Regrade[] = [];
    for (const { trial, patch } of judged) {
      const task = tasks.get(trial.task);
      if (task === undefined) continue;
      const number = store.regrades(trial.id).length + 1;
      const onRemoval = (removal: Promise<void>) => void removals.push(removal);
      const key = `${trial.id}.regrade${number}`;
      const verdict = await judgeChange(
        key,
        task,
        patch,
        { environment: environments.of(task), log, onRemoval },
        signal,
      )
        .then(({ verdict: { reward, tests } }) => ({ after: reward, tests: [...tests], error: null }))
        .catch((error: unknown) => {
          signal.throwIfAborted();
          return { after: null, tests: [], error: CoachError.from(error).toShape() };
        });
      const regrade = { trialId: trial.id, at: toIso(clock.now()), before: trial.reward, ...verdict };
      store.addRegrade(regrade);
      regrades.push(regrade);
    }
    return regrades;
  } finally {
    await Promise.allSettled(removals);
  }
}

/** Ended trials with the change that their agents left. */
async function changesOf(trials: readonly TrialSummary[]): Promise<{ trial: TrialSummary; patch: Buffer }[]> {
  const found: { trial: TrialSummary; patch: Buffer }[] = [];
  for (const trial of trials) {
    if (trial.phase !== 'done' || trial.end === 'stalled') continue;
    const patch = await readFile(join(trial.directory, 'diff.patch')).catch(() => null);
    if (patch !== null) found.push({ trial, patch });
  }
  return found;
}
