import { CoachError } from '../../protocol/errors.ts';
import type { Log } from '../base/log.ts';
import type { PreparedEnvironment, Sandbox } from '../executors/executor.ts';
import { withBundle } from '../git/bundle.ts';
import { diffTrees, patchTree } from '../git/tree.ts';
import type { ExpectedTests } from '../tasks/format.ts';
import type { PreparedTask, TestVerifier, VerifierEnvironment } from '../tasks/preparedTask.ts';
import type { ReportFormat } from '../tasks/reportFormat.ts';
import { isTestName, isTestPath } from '../tasks/testFiles.ts';

import { handOver } from './artifacts.ts';
import { applyIn, sandboxLimits, sandboxName } from './sandboxes.ts';
import type { VerifierRun } from './score.ts';
import { runScript } from './scriptVerifier.ts';
import { readReport } from './testReports.ts';
import { runTimed } from './timedCommand.ts';

export interface VerifyOutcome extends VerifierRun {
  /** Standard output and error of the tests, as they came. */
  readonly output: Buffer;
  /** The report of the tests as the verifier left it; null when there is none. */
  readonly report: Buffer | null;
  /** What the report is; null for a script, which names its files itself. */
  readonly format: ReportFormat | null;
  /** Everything that a verifier script scored, by name. */
  readonly rewards?: Readonly<Record<string, number>>;
  /** What a verifier script left, by file name. */
  readonly scriptFiles?: ReadonlyMap<string, Buffer>;
}

export interface VerifierDeps {
  readonly environment: PreparedEnvironment;
  readonly log: Log;
  onRemoval(removal: Promise<void>): void;
}

const maxReportBytes = 64 * 1024 * 1024;

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
  const own = task.verifier.kind === 'script' ? task.verifier.own : undefined;
  // Beside the start of the sandbox, which takes as long.
  const changing = withoutTests(task, patch, signal);
  changing.catch(() => undefined);
  const starting = verifierPlace(deps.environment, own).start(
    {
      name: sandboxName(trialId, 'verify'),
      labels: { 'coach.trial': trialId },
      endpoint: null,
      mounts: [],
      limits: sandboxLimits(),
    },
    signal,
  );
  const sandbox = await starting.finally(() => changing.catch(() => undefined));
  try {
    const change = await changing;
    const { verifier, workdir, tests } = task;
    if (own === undefined) await applyIn(sandbox, workdir, change, signal);
    else await handOver(sandbox, task, change, own, signal);
    if (verifier.kind === 'script') {
      await sandbox.copyIn(tests.root, '/tests', signal);
      return await runScript(sandbox, own?.workdir ?? workdir, verifier, signal);
    }
    if (verifier.kind !== 'tests') throw new CoachError('internal', `${task.name} has no hidden tests to run.`);
    await sandbox.copyIn(tests.root, workdir, signal);
    if (more !== null) await sandbox.copyIn(more, task.workdir, signal);
    return await runTests(sandbox, workdir, verifier, signal);
  } finally {
    deps.onRemoval(sandbox.remove());
  }
}

/** @throws CoachError `internal` where the verifier's own environment was not prepared with its task's */
function verifierPlace(environment: PreparedEnvironment, own: VerifierEnvironment | undefined): PreparedEnvironment {
  if (own === undefined) return environment;
  if (environment.verifier !== undefined) return environment.verifier;
  throw new CoachError('internal', 'The environment of the verifier was not prepared.');
}

/** The change without every path that is a hidden test or holds an expected test, or stands in the way of one. */
async function withoutTests(task: PreparedTask, patch: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  const { verifier } = task;
  // A script's own tests lie outside of the repository, and tests may be what its task asks for.
  if (patch.length === 0 || (verifier.kind !== 'tests' && !(verifier.kind === 'script' && verifier.restoresTests)))
    return patch;
  const isTest = verifier.kind === 'tests' ? testPaths(task.tests.paths, verifier) : isTestName;
  return withBundle(
    task.bundle,
    async start => {
      const tree = await patchTree(start, start.tree, patch, signal);
      const whole = await diffTrees(start, start.tree, tree, signal);
      const kept = whole.files.map(file => file.path).filter(path => !isTest(path));
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

async function runTests(
  sandbox: Sandbox,
  workdir: string,
  { command, timeoutSec, resultFile, resultFormat }: TestVerifier,
  signal: AbortSignal,
): Promise<VerifyOutcome> {
  const prepare = 'mkdir -p "$(dirname "$1")" && rm -rf "$1"';
  await sandbox.exec({ argv: ['sh', '-c', prepare, 'sh', resultFile], cwd: '/', env: {} }, signal);
  const run = await runTimed(sandbox, { command, cwd: workdir, env: {}, timeoutSec }, signal);
  const none = { ...run, format: resultFormat, report: null, outcomes: null };
  if (run.timedOut) return none;
  const read = await sandbox.exec({ argv: ['cat', resultFile], cwd: '/', env: {}, maxBytes: maxReportBytes }, signal);
  if (read.exitCode !== 0 || read.stdout.length === 0) return none;
  if (read.stdout.length >= maxReportBytes) {
    throw new CoachError('verifier.failed', 'The test report is larger than 64 MiB.');
  }
  return { ...none, report: read.stdout, outcomes: readReport(resultFormat, read.stdout.toString(), workdir) };
}
