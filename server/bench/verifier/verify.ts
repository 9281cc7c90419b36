import { CoachError } from '../../../protocol/errors.ts';
import type { Log } from '../../base/log.ts';
import type { PreparedEnvironment } from '../../executors/executor.ts';
import { withBundle } from '../../git/bundle.ts';
import { patchedPaths } from '../../git/patch.ts';
import { diffTrees, patchTree } from '../../git/tree.ts';
import { filesBelow } from '../../tasks/contents.ts';
import type { ExpectedTests } from '../../tasks/format.ts';
import type { PreparedTask, ScriptVerifier, VerifierEnvironment } from '../../tasks/preparedTask.ts';
import { isTestName, isTestPath } from '../../tasks/testing/testFiles.ts';
import { applyChange, placeOutside } from '../outside.ts';
import { sandboxLimits, sandboxName } from '../sandboxes.ts';
import { handOver } from './artifacts.ts';
import { layTests, type TestedTask, type TestsAhead } from './hiddenTests.ts';
import { runScript } from './scriptVerifier.ts';
import type { VerifyOutcome } from './verifyOutcome.ts';

export interface VerifierDeps {
  readonly environment: PreparedEnvironment;
  readonly log: Log;
  /** What was made ready for the first verification. */
  readonly ahead?: TestsAhead;
  onRemoval(removal: Promise<void>): void;
}

/**
 * Runs the hidden tests on a change, in a fresh sandbox without any network: the start commit, the change without what
 * it does to the tests, the hidden tests. Nothing that an agent left running, and nothing besides its diff, gets in.
 * `onRemoval` is given the sandbox's removal, which need not be waited for here.
 * @param more directory of files that are put over the hidden tests
 */
export async function verify(
  trialId: string,
  task: PreparedTask,
  patch: Uint8Array,
  deps: VerifierDeps,
  signal: AbortSignal,
  more: string | null = null,
): Promise<VerifyOutcome> {
  const { verifier } = task;
  if (verifier.kind === 'tests') return verifyTests(trialId, { ...task, verifier }, patch, deps, signal, more);
  if (verifier.kind === 'script') return verifyScript(trialId, { ...task, verifier }, patch, deps, signal, more);
  throw new CoachError('internal', `${task.name} has no hidden tests to run.`);
}

async function verifyTests(
  trialId: string,
  task: TestedTask,
  patch: Uint8Array,
  { environment, ahead, onRemoval }: VerifierDeps,
  signal: AbortSignal,
  more: string | null,
): Promise<VerifyOutcome> {
  const laid = [...task.tests.paths, ...(more === null ? [] : await filesBelow(more))];
  // Beside the start of the sandbox, which takes as long.
  const changing = withoutPaths(task.bundle, patch, testPaths(laid, task.verifier), signal);
  const changed = changing.catch(() => undefined);
  const laying = async () =>
    (more === null ? await ahead?.take() : null) ?? (await layTests(trialId, task, more, environment, signal));
  const tests = await laying().finally(() => changed);
  try {
    return await tests.run(await changing, signal);
  } finally {
    onRemoval(tests.remove());
  }
}

async function verifyScript(
  trialId: string,
  task: PreparedTask & { readonly verifier: ScriptVerifier },
  patch: Uint8Array,
  { environment, onRemoval }: VerifierDeps,
  signal: AbortSignal,
  more: string | null,
): Promise<VerifyOutcome> {
  const { verifier, workdir } = task;
  const { own, restoresTests } = verifier;
  // Its own tests lie outside of the repository, and tests may be what its task asks for.
  const changing = restoresTests ? withoutPaths(task.bundle, patch, isTestName, signal) : Promise.resolve(patch);
  const changed = changing.catch(() => undefined);
  const spec = { labels: { 'coach.trial': trialId }, endpoint: null, mounts: [], limits: sandboxLimits() };
  const starting = verifierPlace(environment, own).start({ ...spec, name: sandboxName(trialId, 'verify') }, signal);
  const sandbox = await starting.finally(() => changed);
  try {
    const change = await changing;
    if (own === undefined) await applyChange(sandbox, task, change, signal);
    else {
      await handOver(sandbox, task, change, own, signal);
      await placeOutside(sandbox, task, signal);
    }
    await sandbox.copyIn(task.tests.root, '/tests', signal);
    if (more !== null) await sandbox.copyIn(more, '/tests', signal);
    return await runScript(sandbox, own?.workdir ?? workdir, verifier, signal);
  } finally {
    onRemoval(sandbox.remove());
  }
}

/** @throws CoachError `internal` where the verifier's own environment was not prepared with its task's */
function verifierPlace(environment: PreparedEnvironment, own: VerifierEnvironment | undefined): PreparedEnvironment {
  if (own === undefined) return environment;
  const place = environment.verifiers?.get(own.directory);
  if (place !== undefined) return place;
  throw new CoachError('internal', 'The environment of the verifier was not prepared.');
}

/** A patch without what it does to some paths. */
async function withoutPaths(
  bundle: string,
  patch: Uint8Array,
  isLeftOut: (path: string) => boolean,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (patch.length === 0) return patch;
  const named = await patchedPaths(patch, signal);
  if (named !== null && !named.some(isLeftOut)) return patch;
  return withBundle(
    bundle,
    async start => {
      const tree = await patchTree(start, start.tree, patch, signal);
      const { files } = await diffTrees(start, start.tree, tree, signal);
      const kept = files.map(file => file.path).filter(path => !isLeftOut(path));
      return (await diffTrees(start, start.tree, tree, signal, kept)).patch;
    },
    signal,
  );
}

/**
 * What is restored from the task: hidden tests, files of expected tests (ids name theirs first, where the runner tells it), and
 * whatever a test runner takes for a test or its configuration by name alone: a `conftest.py` runs unasked.
 */
export function testPaths(hidden: readonly string[], expected: ExpectedTests): (path: string) => boolean {
  const named = [...expected.failToPass, ...expected.passToPass].map(id => id.split(' > ')[0] ?? '');
  const tests = new Set([...hidden, ...named.filter(isTestPath)]);
  return path =>
    isTestName(path) ||
    [...tests].some(test => test === path || test.startsWith(`${path}/`) || path.startsWith(`${test}/`));
}
