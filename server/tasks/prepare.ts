import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import { checkoutBundle, type OpenedBundle, withBundle } from '../git/bundle.ts';
import { isCoachPath } from '../git/ignore.ts';
import { leakedBlobs } from '../git/leak.ts';
import { type ChangedFile, diffTrees, fileAt, filesOf, patchTree, type TreeEntry, treeOf } from '../git/tree.ts';
import { type CreatedTask, loadCreatedTask } from './createdTask.ts';
import { loadCoachMetadata } from './format.ts';
import { refuseLeakingInstruction } from './instruction.ts';
import {
  createdDirectory,
  preparedDirectory,
  requirePlaces,
  requireTaskName,
  toSlug,
  writeIgnoreFile,
  writeTaskDirectory,
} from './places.ts';
import { writePrepared } from './preparedFiles.ts';
import { refuseSecrets, secretsInFiles } from './secrets.ts';
import type { TestSetup } from './testCommand.ts';
import { isTestPath } from './testFiles.ts';
import { detectTestSetup } from './testSetup.ts';

export interface PrepareSpec {
  readonly root: string;
  /** Id of the created task. */
  readonly taskId: string;
  readonly name: string | undefined;
}

/** A recorded change, split: what agents start from, what they should reach, and what judges them. */
export interface SealedTask {
  readonly created: CreatedTask;
  readonly setup: TestSetup;
  readonly store: OpenedBundle;
  /** Start tree without `.coach/`. */
  readonly startTree: string;
  /** Every test file as it is after the change; those that the change did not touch guard what worked before. */
  readonly tests: readonly TreeEntry[];
  /** The change without its tests. */
  readonly solutionPatch: Buffer;
  readonly files: readonly ChangedFile[];
  /** What decides on the installed dependencies, as it is after the change. */
  readonly dependencyFiles: ReadonlyMap<string, Buffer>;
}

/**
 * Makes a runnable, sealed Harbor task of a created one, whole or not at all. Preparing again replaces it.
 * @throws CoachError `task.missing`, `task.invalid`, `task.leak`, `task.secrets`
 * @returns directory of the prepared task
 */
export async function prepareTask({ root, taskId, name }: PrepareSpec, signal: AbortSignal): Promise<string> {
  await requirePlaces(root);
  const created = await loadCreatedTask(join(createdDirectory(root), requireTaskName(taskId)));
  const target = await targetDirectory(root, created, name);
  return withBundle(
    created.bundle,
    async store => {
      const sealed = await seal(created, store, signal);
      refuseLeakingInstruction(created.meta.lm.instructions, sealed.solutionPatch.toString());
      await writeIgnoreFile(root);
      const replaced = `${target}.replaced.tmp`;
      await writeTaskDirectory(target, async directory => {
        await writePrepared(sealed, target, directory, signal);
        await refuseLeaks(sealed, directory, signal);
        await rm(replaced, { recursive: true, force: true });
        if (await exists(target)) await rename(target, replaced);
      });
      await rm(replaced, { recursive: true, force: true });
      return target;
    },
    signal,
  );
}

/** @throws CoachError `task.invalid` when the change can't be split into a solution and tests, or its tests can't be run */
async function seal(created: CreatedTask, store: OpenedBundle, signal: AbortSignal): Promise<SealedTask> {
  const startFiles = (await filesOf(store, store.tree, signal)).filter(file => !isCoachPath(file.path));
  const startTree = await treeOf(store, startFiles, signal);
  const endTree = await patchTree(store, startTree, created.patch, signal);
  const { files } = await diffTrees(store, startTree, endTree, signal);
  const endFiles = await filesOf(store, endTree, signal);
  const tests = endFiles.filter(file => isTestPath(file.path));
  const isHidden = (file: ChangedFile) => isTestPath(file.path) && file.status !== 'deleted';
  requireSplit(files, isHidden, tests);
  const paths = endFiles.map(file => file.path);
  const read = (path: string) => fileAt(store, endTree, path, signal);
  const setup = await detectTestSetup({ paths, read });
  const dependencyFiles = new Map<string, Buffer>();
  for (const path of setup.dependencies?.files ?? []) dependencyFiles.set(path, (await read(path)) ?? Buffer.alloc(0));
  const solution = files.filter(file => !isHidden(file)).map(file => file.path);
  const { patch } = await diffTrees(store, startTree, endTree, signal, solution);
  return { created, setup, store, startTree, tests, solutionPatch: patch, files, dependencyFiles };
}

function requireSplit(
  files: readonly ChangedFile[],
  isHidden: (file: ChangedFile) => boolean,
  tests: readonly TreeEntry[],
) {
  if (!files.some(isHidden)) {
    throw new CoachError('task.invalid', 'The recorded change has no tests, so nothing could judge a solution.', {
      hint: 'Record the task again and let the agent write tests too (in test/, or named *.test.js).',
    });
  }
  if (files.every(isHidden)) {
    throw new CoachError('task.invalid', 'The recorded change has only tests: there is nothing to solve.', {
      hint: 'Record a task that changes the program as well.',
    });
  }
  const link = tests.find(file => file.mode === '120000');
  if (link !== undefined) {
    throw new CoachError('task.invalid', `The test file ${link.path} is a link; hidden tests must be plain files.`, {
      hint: 'Replace the link by a copy and record the task again.',
    });
  }
}

/** Looks for the solution and for secrets in what agents will get, as it lies on disk. */
async function refuseLeaks(sealed: SealedTask, directory: string, signal: AbortSignal): Promise<void> {
  const checkout = await mkdtemp(join(tmpdir(), 'coach-leak-'));
  try {
    await checkoutBundle(join(directory, 'environment', 'repo.bundle'), checkout, signal);
    const start = await filesOf(sealed.store, sealed.startTree, signal);
    const known = new Set(start.map(file => file.blob));
    const changed = sealed.files.map(file => file.blob).filter(blob => blob !== null && !known.has(blob));
    const leaked = await leakedBlobs(checkout, changed as string[], { bare: false }, signal);
    if (leaked.length > 0) {
      throw new CoachError('task.leak', `The sealed repository holds ${leaked.length} files of the solution.`, {
        hint: 'Record the task again; please report this with the task.',
      });
    }
    refuseSecrets(
      await secretsInFiles(
        checkout,
        start.map(file => file.path),
      ),
      'The start of the task',
    );
  } finally {
    await rm(checkout, { recursive: true, force: true });
  }
}

/** `prepared/<name>`: the name asked for, else one from the title that no other task has. */
async function targetDirectory(root: string, created: CreatedTask, name: string | undefined): Promise<string> {
  const base = join(preparedDirectory(root), requireTaskName(name ?? toSlug(created.meta.metadata.title)));
  for (let number = 1; ; number++) {
    const directory = number === 1 ? base : `${base}-${number}`;
    if (!(await exists(directory)) || (await ownerOf(directory)) === created.meta.task_id) return directory;
    if (name === undefined) continue;
    throw new CoachError('input.invalid', `${name} is another prepared task.`, { hint: 'Choose another --name.' });
  }
}

/** The created task behind a prepared one; null when it can't be read. */
async function ownerOf(directory: string): Promise<string | null> {
  return loadCoachMetadata(directory).then(
    metadata => metadata.task_id,
    () => null,
  );
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
