import { CoachError } from '../../protocol/errors.ts';
import type { Log } from '../base/log.ts';
import type { PreparedEnvironment } from '../executors/executor.ts';
import { withBundle } from '../git/bundle.ts';
import { diffTrees, patchTree } from '../git/tree.ts';
import type { ExpectedTests } from '../tasks/format.ts';
import type { PreparedTask } from '../tasks/preparedTask.ts';
import { OutputPace } from './agentOutput.ts';
import { applyIn, sandboxLimits, sandboxName } from './sandboxes.ts';
import type { VerifierRun } from './score.ts';
import { parseJUnit, parseTap } from './testReports.ts';

export interface VerifyOutcome extends VerifierRun {
  /** Standard output and error of the tests, as they came. */
  readonly output: Buffer;
  /** The report as the verifier left it; null when there is none. */
  readonly report: Buffer | null;
}

export interface VerifierDeps {
  readonly environment: PreparedEnvironment;
  readonly log: Log;
  onRemoval(removal: Promise<void>): void;
}

const maxReportBytes = 64 * 1024 * 1024;
const maxOutputBytes = 8 * 1024 * 1024;

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
  const change = await withoutTests(task, patch, signal);
  const sandbox = await deps.environment.start(
    {
      name: sandboxName(trialId, 'verify'),
      labels: { 'coach.trial': trialId },
      endpoint: null,
      mounts: [],
      limits: sandboxLimits(),
    },
    signal,
  );
  try {
    await applyIn(sandbox, task.workdir, change, signal);
    await sandbox.copyIn(task.tests.root, task.workdir, signal);
    if (more !== null) await sandbox.copyIn(more, task.workdir, signal);
    return await runTests(sandbox, task, signal);
  } finally {
    deps.onRemoval(sandbox.remove());
  }
}

/** The change without every path that is a hidden test or holds an expected test, or stands in the way of one. */
async function withoutTests(task: PreparedTask, patch: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  if (patch.length === 0) return patch;
  const isTest = testPaths(task.tests.paths, task.verifier);
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

/** Ids name their file first (tasks/format.ts), so the files of visible tests that count are known too. */
export function testPaths(hidden: readonly string[], expected: ExpectedTests): (path: string) => boolean {
  const named = [...expected.failToPass, ...expected.passToPass].map(id => id.split(' > ')[0] ?? '');
  const tests = new Set([...hidden, ...named]);
  return path => [...tests].some(test => test === path || test.startsWith(`${path}/`) || path.startsWith(`${test}/`));
}

async function runTests(
  sandbox: Awaited<ReturnType<PreparedEnvironment['start']>>,
  { verifier, workdir }: PreparedTask,
  signal: AbortSignal,
): Promise<VerifyOutcome> {
  const output: Buffer[] = [];
  let sizeBytes = 0;
  const pace = new OutputPace();
  const keep = (chunk: Buffer) => {
    if (sizeBytes < maxOutputBytes) output.push(chunk);
    sizeBytes += chunk.length;
    return pace.charge(chunk.length);
  };
  const prepare = 'mkdir -p "$(dirname "$1")" && rm -rf "$1"';
  await sandbox.exec({ argv: ['sh', '-c', prepare, 'sh', verifier.resultFile], cwd: '/', env: {} }, signal);
  const time = AbortSignal.timeout(verifier.timeoutSec * 1000);
  let exitCode: number | null;
  try {
    const run = await sandbox.exec(
      { argv: ['sh', '-c', verifier.command], cwd: workdir, env: {}, onStdout: keep, onStderr: keep, maxBytes: 0 },
      AbortSignal.any([signal, time]),
    );
    exitCode = run.exitCode;
  } catch (error) {
    signal.throwIfAborted();
    if (!time.aborted) throw error;
    return { output: Buffer.concat(output), exitCode: null, timedOut: true, report: null, outcomes: null };
  }
  const read = await sandbox.exec(
    { argv: ['cat', verifier.resultFile], cwd: '/', env: {}, maxBytes: maxReportBytes },
    signal,
  );
  const report = read.exitCode === 0 && read.stdout.length > 0 ? read.stdout : null;
  if (report !== null && report.length >= maxReportBytes) {
    throw new CoachError('verifier.failed', 'The test report is larger than 64 MiB.');
  }
  const parse = verifier.resultFormat === 'junit' ? parseJUnit : parseTap;
  return {
    output: Buffer.concat(output),
    exitCode,
    timedOut: false,
    report,
    outcomes: report === null ? null : parse(report.toString(), workdir),
  };
}
