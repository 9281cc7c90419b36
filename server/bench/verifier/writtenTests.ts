import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type OpenedBundle, withBundle } from '../../git/bundle.ts';
import { diffTrees, fileAt, filesOf, patchTree, readBlob } from '../../git/tree.ts';
import { detectTestSetup } from '../../tasks/environments/testSetup.ts';
import { toSource } from '../../tasks/mutation/mutate.ts';
import type { MutationVerifier, PreparedTask } from '../../tasks/preparedTask.ts';
import { requireReference } from '../../tasks/reference.ts';
import type { TestSetup } from '../../tasks/testing/testCommand.ts';
import { isTestPath } from '../../tasks/testing/testFiles.ts';
import { type VerifierDeps, verify } from './verify.ts';
import type { VerifyOutcome } from './verifyOutcome.ts';

/** A task whose solution is tests. */
export type WritingTask = PreparedTask & { readonly verifier: MutationVerifier };

/** The tests of one change, apart from everything else that it did, and the code that they are to be tried on. */
export interface WrittenTests {
  readonly task: WritingTask;
  /** Test files that the change added or altered, by path. */
  readonly paths: readonly string[];
  /** Host directory with them. */
  readonly directory: string;
  /** Makes the code out of the start: what the reference changed besides its tests, such as a manifest. */
  readonly codePatch: Buffer;
  /** Text of each source that faults are planted in. */
  readonly sources: ReadonlyMap<string, string>;
  /**
   * How these tests are run; with `existing`, those that were there before as well.
   * @throws CoachError `task.invalid` when no runner takes them
   */
  setup(existing: boolean): Promise<TestSetup>;
}

/** Takes the tests out of a change into a host directory. What it did to the code under test is left out. */
export function takeWrittenTests(
  task: WritingTask,
  patch: Uint8Array,
  directory: string,
  signal: AbortSignal,
): Promise<WrittenTests> {
  return withBundle(
    task.bundle,
    async start => {
      const codePatch = await withoutTests(start, requireReference(task), signal);
      const codeTree = await patchTree(start, start.tree, codePatch, signal);
      const paths = await writeTests(start, patch, directory, signal);
      const codeFiles = (await filesOf(start, codeTree, signal)).map(file => file.path);
      const contents = new Map<string, Buffer>();
      for (const path of await manifests(codeFiles)) {
        const content = await fileAt(start, codeTree, path, signal);
        if (content !== null) contents.set(path, content);
      }
      const sources = new Map<string, string>();
      for (const { path } of task.verifier.sources.map(toSource)) {
        const content = await fileAt(start, codeTree, path, signal);
        if (content !== null) sources.set(path, content.toString());
      }
      const setup = (existing: boolean) => {
        const before = codeFiles.filter(path => existing || !isTestPath(path));
        return detectTestSetup({
          paths: [...new Set([...before, ...paths])].sort(),
          read: async path => contents.get(path) ?? null,
        });
      };
      return { task, paths, directory, codePatch, sources, setup };
    },
    signal,
  );
}

/** Files that tell how tests run; a runner's detection reads no others. */
async function manifests(paths: readonly string[]): Promise<string[]> {
  return paths.filter(path =>
    /(?:^|\/)(?:package(?:-lock)?\.json|npm-shrinkwrap\.json|go\.mod|Cargo\.toml|pyproject\.toml|setup\.cfg|[^/]*requirements[^/]*\.txt|requirements\/[^/]+\.txt)$/.test(
      path,
    ),
  );
}

async function withoutTests(start: OpenedBundle, patch: Buffer, signal: AbortSignal): Promise<Buffer> {
  const tree = await patchTree(start, start.tree, patch, signal);
  const { files } = await diffTrees(start, start.tree, tree, signal);
  const code = files.map(file => file.path).filter(path => !isTestPath(path));
  return (await diffTrees(start, start.tree, tree, signal, code)).patch;
}

/** Plain files only: a link could be to anything. */
async function writeTests(
  start: OpenedBundle,
  patch: Uint8Array,
  directory: string,
  signal: AbortSignal,
): Promise<string[]> {
  const tree = await patchTree(start, start.tree, patch, signal);
  const { files } = await diffTrees(start, start.tree, tree, signal);
  const changed = new Set(files.filter(file => isTestPath(file.path)).map(file => file.path));
  const written = (await filesOf(start, tree, signal)).filter(
    ({ path, mode }) => changed.has(path) && mode.startsWith('100'),
  );
  await mkdir(directory, { recursive: true });
  for (const { path, blob, mode } of written) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, await readBlob(start, blob, signal));
    await chmod(file, mode === '100755' ? 0o755 : 0o644);
  }
  return written.map(file => file.path);
}

/** Runs written tests on the code, each time in a fresh sandbox. `more`: directory of files put over the code. */
export function runWritten(
  trialId: string,
  written: WrittenTests,
  { command, resultFile, resultFormat }: TestSetup,
  { timeoutSec, more }: { readonly timeoutSec: number; readonly more: string | null },
  deps: VerifierDeps,
  signal: AbortSignal,
): Promise<VerifyOutcome> {
  const { task, paths, directory } = written;
  const nothingExpected = { failToPass: [], passToPass: [], mustFail: [], exitsCleanly: false };
  const asTests: PreparedTask = {
    ...task,
    // Here the written tests are what judges, and the code is what is judged.
    tests: { root: directory, paths, changed: [] },
    verifier: { kind: 'tests', command, resultFile, resultFormat, timeoutSec, ...nothingExpected },
  };
  return verify(trialId, asTests, written.codePatch, deps, signal, more);
}
