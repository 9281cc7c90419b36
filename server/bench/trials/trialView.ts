import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertNever } from '../../../protocol/errors.ts';
import type { DiffFile, TrialSummary } from '../../../protocol/runs.ts';
import { withBundle } from '../../git/bundle.ts';
import type { GitStore } from '../../git/store.ts';
import { diffTrees, fileAt, patchTree } from '../../git/tree.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { requireReference } from '../../tasks/reference.ts';

export type TrialSide = 'start' | 'agent' | 'reference';

/** What a trial's agent changed; nothing while it has not come that far. */
export async function changedFiles(
  trial: TrialSummary,
  task: PreparedTask,
  signal: AbortSignal,
): Promise<{ files: DiffFile[]; patch: string }> {
  const patch = await patchOf(trial);
  return withBundle(
    task.bundle,
    async start => {
      const tree = await patchTree(start, start.tree, patch, signal);
      const { files } = await diffTrees(start, start.tree, tree, signal);
      return { files: files.map(({ path, status, binary }) => ({ path, status, binary })), patch: patch.toString() };
    },
    signal,
  );
}

/** A file on one side of a trial, or null when it is not there. */
export async function fileOn(
  side: TrialSide,
  path: string,
  trial: TrialSummary,
  task: PreparedTask,
  signal: AbortSignal,
): Promise<Buffer | null> {
  const patch = await patchFor(side, trial, task);
  return withBundle(
    task.bundle,
    async start => fileAt(start, await patchTree(start, start.tree, patch, signal), path, signal),
    signal,
  );
}

/** Calls `work` with the start tree of a trial's task and what one side made of it. */
export async function withTrialTrees<T>(
  side: TrialSide,
  trial: TrialSummary,
  task: PreparedTask,
  work: (store: GitStore, start: string, end: string) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const patch = await patchFor(side, trial, task);
  return withBundle(
    task.bundle,
    async start => work(start, start.tree, await patchTree(start, start.tree, patch, signal)),
    signal,
  );
}

async function patchFor(side: TrialSide, trial: TrialSummary, task: PreparedTask): Promise<Buffer> {
  switch (side) {
    case 'start':
      return Buffer.alloc(0);
    case 'agent':
      return patchOf(trial);
    case 'reference':
      return requireReference(task);
    default:
      return assertNever(side);
  }
}

function patchOf(trial: TrialSummary): Promise<Buffer> {
  return readFile(join(trial.directory, 'diff.patch')).catch(() => Buffer.alloc(0));
}
