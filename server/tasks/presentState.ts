import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeScratch, temporaryScratch } from '../base/owner.ts';
import type { CoachPaths } from '../base/paths.ts';
import { repositoryAt, requireCommit } from '../git/repository.ts';
import { shadowOf, snapshot } from '../git/shadow.ts';
import { fileAt, filesOf } from '../git/tree.ts';
import { detectTestSetup } from './environments/testSetup.ts';
import { dependencyFilesOf } from './prepare.ts';
import { writePrepared } from './preparedFiles.ts';
import { isTestPath } from './testing/testFiles.ts';

const name = 'present-state';
const unchanged = { status: 'modified', binary: false, insertions: 0, deletions: 0 } as const;

/**
 * Calls `work` with the directory of a prepared task that starts from a working tree as it is, with nothing to solve: what
 * its tests say is what they say now. It is gone afterwards; the working tree is only read.
 * @throws CoachError `task.unsupported` where the tests can't be run in a sandbox, and those of git
 */
export async function withPresentState<T>(
  directory: string,
  paths: CoachPaths,
  work: (preparedTask: string) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const scratch = await temporaryScratch(name);
  try {
    const task = join(scratch, name);
    await mkdir(task);
    await writePresentState(directory, task, paths, signal);
    return await work(task);
  } finally {
    await removeScratch(scratch);
  }
}

async function writePresentState(directory: string, target: string, paths: CoachPaths, signal: AbortSignal) {
  const repository = await repositoryAt(directory, signal);
  const shadow = await shadowOf(repository, paths, signal);
  const tree = await snapshot(repository, shadow, signal);
  const commit = requireCommit(repository);
  const files = await filesOf(shadow, tree, signal);
  const read = (path: string) => fileAt(shadow, tree, path, signal);
  // Links stay where the tree has them.
  const tests = files.filter(file => isTestPath(file.path) && file.mode !== '120000');
  const setup = await detectTestSetup({ paths: files.map(file => file.path), read });
  const nothing = { patch: Buffer.alloc(0), sessionId: null };
  await writePrepared(
    {
      created: { directory: target, bundle: '', ...nothing, meta: metaOf(commit) },
      kind: 'code',
      judge: { verifier: 'tests', setup },
      setup,
      given: null,
      store: { ...shadow, commit, tree },
      startTree: tree,
      tests,
      solutionPatch: nothing.patch,
      // A task has to name files.
      files: tests.map(({ path, blob }) => ({ path, blob, ...unchanged })),
      dependencyFiles: await dependencyFilesOf(setup, read),
    },
    target,
    target,
    signal,
  );
}

function metaOf(commit: string) {
  const title = 'The repository as it is';
  const [at, none] = ['1970-01-01T00:00:00Z', [] as string[]];
  return {
    task_id: name,
    metadata: { title, tags: none, notes: '', summary: '', created_at: at },
    repo: {
      ...{ git_url: null, branch: null, subdir: '', sparse_checkout: none },
      ...{ start_commit_sha: commit, end_commit_sha: commit },
    },
    lm: { instructions: title },
    evaluation: { rubrics: [], start_bundle: 'evaluation/start.bundle' as const },
  };
}
