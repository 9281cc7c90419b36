import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import type { TaskKind } from '../../protocol/tasks.ts';
import { checkoutBundle, type OpenedBundle, withBundle } from '../git/bundle.ts';
import { isCoachPath } from '../git/ignore.ts';
import { leakedBlobs } from '../git/leak.ts';
import { type ChangedFile, diffTrees, fileAt, filesOf, patchTree, type TreeEntry, treeOf } from '../git/tree.ts';
import { type CreatedTask, loadCreatedTask } from './createdTask.ts';
import { givenEnvironment } from './environments/environmentDockerfile.ts';
import { detectTestSetup } from './environments/testSetup.ts';
import { loadCoachMetadata } from './format.ts';
import { refuseLeakingInstruction } from './instruction.ts';
import { testedSources } from './mutation/sources.ts';
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
import type { Judge, SealedTask } from './sealedTask.ts';
import { refuseSecrets, secretsInFiles } from './secrets.ts';
import { isLeftTest, kindOf } from './taskKind.ts';
import type { RepositoryFiles } from './testing/testCommand.ts';
import { isTestPath } from './testing/testFiles.ts';

export interface PrepareSpec {
  readonly root: string;
  /** Id of the created task. */
  readonly taskId: string;
  readonly name: string | undefined;
  /** Path in the repository; without one, the environment that its files ask for. */
  readonly dockerfile?: string | undefined;
}

/**
 * Makes a runnable, sealed Harbor task of a created one, whole or not at all. Preparing again replaces it.
 * @throws CoachError `task.missing`, `task.invalid`, `task.leak`, `task.secrets`
 * @returns directory of the prepared task
 */
export async function prepareTask(
  { root, taskId, name, dockerfile }: PrepareSpec,
  signal: AbortSignal,
): Promise<string> {
  await requirePlaces(root);
  const created = await loadCreatedTask(join(createdDirectory(root), requireTaskName(taskId)));
  const target = await targetDirectory(root, created, name);
  return withBundle(
    created.bundle,
    async store => {
      const sealed = await seal(created, store, dockerfile, signal);
      refuseLeakingInstruction(created.meta.lm.instructions, sealed.solutionPatch.toString(), sealed.kind);
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
async function seal(
  created: CreatedTask,
  store: OpenedBundle,
  dockerfile: string | undefined,
  signal: AbortSignal,
): Promise<SealedTask> {
  const startFiles = (await filesOf(store, store.tree, signal)).filter(file => !isCoachPath(file.path));
  const startTree = await treeOf(store, startFiles, signal);
  const endTree = await patchTree(store, startTree, created.patch, signal);
  const { files } = await diffTrees(store, startTree, endTree, signal);
  const endFiles = await filesOf(store, endTree, signal);
  const kind = created.meta.evaluation.kind ?? kindOf(files);
  const read = (path: string) => fileAt(store, endTree, path, signal);
  const repository = { paths: endFiles.map(file => file.path), read };
  const judge = await judgeOf(kind, files, repository, created.meta.evaluation.rubrics.length > 0);
  const tests = judge.verifier === 'tests' ? endFiles.filter(file => isTestPath(file.path)) : [];
  refuseLinks(tests);
  const setup = judge.verifier === 'tests' ? judge.setup : await environmentOf(judge, repository);
  const dependencyFiles = await dependencyFilesOf(setup, read);
  const solution = files.filter(file => judge.verifier !== 'tests' || !isLeftTest(file)).map(file => file.path);
  const { patch } = await diffTrees(store, startTree, endTree, signal, solution);
  const given = dockerfile === undefined ? null : await namedEnvironment(dockerfile, store, startTree, signal);
  return { created, kind, judge, setup, given, store, startTree, tests, solutionPatch: patch, files, dependencyFiles };
}

/** The files that decide on installed dependencies, with what they hold. */
export async function dependencyFilesOf(
  { dependencies }: SealedTask['setup'],
  read: RepositoryFiles['read'],
): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const path of dependencies?.files ?? []) files.set(path, (await read(path)) ?? Buffer.alloc(0));
  return files;
}

/** What a user's Dockerfile asks for. It sees the start and no more: what it copies, agents get. */
async function namedEnvironment(
  dockerfile: string,
  store: OpenedBundle,
  startTree: string,
  signal: AbortSignal,
): Promise<SealedTask['given']> {
  const start = (await filesOf(store, startTree, signal)).filter(file => file.mode !== '120000');
  const read = (path: string) => fileAt(store, startTree, path, signal);
  const environment = await givenEnvironment(dockerfile, { paths: start.map(file => file.path), read });
  return { environment, context: start.filter(file => environment.context.includes(file.path)) };
}

/** @throws CoachError `task.invalid` when nothing could judge a solution, or there is nothing to solve */
async function judgeOf(
  kind: TaskKind,
  files: readonly ChangedFile[],
  repository: RepositoryFiles,
  hasRubric: boolean,
): Promise<Judge> {
  const tests = files.filter(isLeftTest).map(file => file.path);
  if (kind === 'documentation' || (tests.length === 0 && hasRubric)) return { verifier: 'rubric' };
  if (tests.length === 0) {
    throw new CoachError('task.invalid', 'The recorded change has no tests, so nothing could judge a solution.', {
      hint: 'Record the task again with tests (in test/, or named *.test.js), or give tb_meta.json a rubric or the kind "documentation": codex-coach task edit <task> --part settings',
    });
  }
  if (kind === 'test-writing') return { verifier: 'mutation', mutate: await mutatedSources(tests, repository) };
  if (files.every(isLeftTest)) {
    throw new CoachError('task.invalid', 'The recorded change has only tests: there is nothing to solve.', {
      hint: 'Record a task that changes the program as well, or make it one of the kind "test-writing".',
    });
  }
  return { verifier: 'tests', setup: await detectTestSetup(repository) };
}

/** @throws CoachError `task.invalid` when no code is found that the tests are about */
async function mutatedSources(tests: readonly string[], { paths, read }: RepositoryFiles): Promise<string[]> {
  const texts = await Promise.all(tests.map(async path => ({ path, text: (await read(path))?.toString() ?? '' })));
  const sources = testedSources(paths, texts);
  if (sources.length > 0) return sources;
  throw new CoachError(
    'task.invalid',
    'No code was found that the recorded tests are about, so they can’t be judged.',
    {
      hint: 'Faults can be planted in JavaScript, TypeScript, Python and Go, in files of the same language as the tests.',
    },
  );
}

/** What written tests need to run; documentation needs no more than git, but an agent may want to try what it writes. */
async function environmentOf(judge: Judge, repository: RepositoryFiles): Promise<SealedTask['setup']> {
  if (judge.verifier === 'mutation') return detectTestSetup(repository);
  return detectTestSetup(repository).catch(() => ({
    baseImage: 'debian:bookworm-slim',
    packages: [],
    dependencies: null,
  }));
}

function refuseLinks(tests: readonly TreeEntry[]): void {
  const link = tests.find(file => file.mode === '120000');
  if (link === undefined) return;
  throw new CoachError('task.invalid', `The test file ${link.path} is a link; hidden tests must be plain files.`, {
    hint: 'Replace the link by a copy and record the task again.',
  });
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
