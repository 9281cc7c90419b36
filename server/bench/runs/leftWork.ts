import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import type { RunSummary, StepVerdict, TrialSummary } from '../../../protocol/runs.ts';
import type { Agent } from '../../agents/agent.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { isJudged } from '../trials/runTrial.ts';
import type { RunStore } from './runStore.ts';

export interface LeftWorkDeps {
  readonly store: RunStore;
  findAgent(id: string): Agent;
  loadTask(root: string, name: string): Promise<PreparedTask>;
}

/** What a trial left, to be judged without its agent. */
export interface TrialToJudge {
  readonly trial: TrialSummary;
  readonly task: PreparedTask;
  /** Null for a task in steps, of which each leaves a change of its own. */
  readonly patch: Buffer | null;
  /** Of a task in steps: how the work on the one ended that was never judged; null where there is none. */
  readonly unjudged: StepVerdict['end'] | null;
  /** Names this judging apart from the earlier ones. */
  readonly number: number;
}

/**
 * Ended trials with the change that their agents left, and their tasks as they are now.
 * @throws CoachError when the run has nothing to judge, or a task is gone
 */
export async function trialsToJudge(run: RunSummary, deps: LeftWorkDeps): Promise<TrialToJudge[]> {
  const { store, loadTask } = deps;
  const tasks = new Map<string, PreparedTask>();
  const found: TrialToJudge[] = [];
  for (const trial of store.trials(run.id)) {
    if (trial.phase !== 'done' || trial.end === 'stalled') continue;
    const left = await leftBy(trial, deps);
    if (left === null) continue;
    const task = tasks.get(trial.task) ?? (await loadTask(run.repository, trial.task));
    tasks.set(trial.task, task);
    found.push({ trial, task, ...left, number: store.regrades(trial.id).length + 1 });
  }
  if (found.length > 0) return found;
  throw new CoachError('input.invalid', `No trial of run ${run.id} has left a change to judge.`);
}

/** What there is of a trial to be judged; null where there is nothing, as after an agent that never heard its model. */
async function leftBy(
  trial: TrialSummary,
  { store, findAgent }: LeftWorkDeps,
): Promise<Pick<TrialToJudge, 'patch' | 'unjudged'> | null> {
  const work = store.tries(trial.id).at(-1)?.work ?? null;
  const canBeJudged =
    work === null || (work.mismatches.length === 0 && isJudged({ agent: findAgent(trial.agent.id) }, work));
  const { directory, steps = [] } = trial;
  if (steps.length > 0 || (await isThere(join(directory, 'steps')))) {
    const end = work?.end.kind === 'finished' ? 'verified' : (work?.end.kind ?? null);
    const unjudged = canBeJudged ? end : null;
    return steps.length > 0 || unjudged !== null ? { patch: null, unjudged } : null;
  }
  const patch = canBeJudged ? await changeAt(directory) : null;
  return patch === null ? null : { patch, unjudged: null };
}

/** `diff.patch` of a trial or a step of one; null where there is none. */
export function changeAt(directory: string): Promise<Buffer | null> {
  return readFile(join(directory, 'diff.patch')).catch(() => null);
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
