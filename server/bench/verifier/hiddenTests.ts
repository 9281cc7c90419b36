import { randomBytes } from 'node:crypto';
import { CoachError } from '../../../protocol/errors.ts';
import type { PreparedEnvironment } from '../../executors/executor.ts';
import { overlayPatch } from '../../git/overlay.ts';
import type { PreparedTask, TestVerifier } from '../../tasks/preparedTask.ts';
import { placingArguments } from '../outside.ts';
import { sandboxLimits, sandboxName } from '../sandboxes.ts';
import { readReport } from '../testReports/testReports.ts';
import { runPrepared } from '../timedCommand.ts';
import type { VerifyOutcome } from './verifyOutcome.ts';

/** A task that is judged by hidden tests. */
export type TestedTask = PreparedTask & { readonly verifier: TestVerifier };

/** A fresh sandbox that waits for a change, which touches none of the hidden tests. */
export interface LaidTests {
  /**
   * Applies the change, puts the tests over it and runs them; once.
   * @throws CoachError `sandbox.failed` when it does not apply
   */
  run(change: Uint8Array, signal: AbortSignal): Promise<VerifyOutcome>;
  remove(): Promise<void>;
}

const readyLine = 'ready';
const maxReportBytes = 64 * 1024 * 1024;

/**
 * Arguments: the tests' command, where it leaves its report, how much of that is read, and what moves files of other places
 * where they belong. Input: the change, with the hidden tests. What the command prints goes to the standard error: of the
 * output, all after the first line is the report. An engine takes longer to hand out a file.
 */
const script = `
command=$1 result=$2 bytes=$3
shift 3
change=$(mktemp) && cat > "$change" || exit 1
if [ -s "$change" ]; then
  git apply --binary --whitespace=nowarn "$change" || exit 1
  [ $# -eq 0 ] || sh "$@" || exit 1
fi
rm "$change" && mkdir -p "$(dirname "$result")" && rm -rf "$result" || exit 1
echo ${readyLine}
sh -c "$command" < /dev/null >&2
code=$?
[ -L "$result" ] || [ ! -f "$result" ] || head -c "$bytes" "$result"
exit $code
`;

/**
 * Makes the sandbox; nothing runs yet.
 * @param more directory of files that are put over the tests
 */
export async function layTests(
  trialId: string,
  task: TestedTask,
  more: string | null,
  environment: PreparedEnvironment,
  signal: AbortSignal,
): Promise<LaidTests> {
  const { command, resultFile, resultFormat, timeoutSec } = task.verifier;
  const words = [command, resultFile, String(maxReportBytes), ...placingArguments(task)];
  const only = { argv: ['sh', '-c', script, 'sh', ...words] as const, cwd: task.workdir, env: {} };
  const tests = more === null ? patchOfTests(task) : overlayPatch(task.bundle, [task.tests.root, more], signal);
  // Awaited after the start, which may fail first.
  tests.catch(() => undefined);
  const sandbox = await environment.start(
    {
      // A try that goes on with another server lays its tests anew, maybe before the old ones are swept.
      name: `${sandboxName(trialId, 'verify')}-${randomBytes(3).toString('hex')}`,
      labels: { 'coach.trial': trialId },
      ...{ endpoint: null, mounts: [], limits: sandboxLimits(), only },
    },
    signal,
  );
  return {
    remove: () => sandbox.remove(),
    async run(change, runSignal) {
      const stdin = Buffer.concat([change, await tests]);
      const { rest, ...run } = await runPrepared(
        sandbox,
        { ...only, stdin },
        { readyLine, timeoutSec, maxRestBytes: maxReportBytes },
        runSignal,
      ).catch(explained);
      const none = { ...run, format: resultFormat, report: null, outcomes: null };
      if (run.timedOut || rest.length === 0) return none;
      if (rest.length >= maxReportBytes) {
        throw new CoachError('verifier.failed', 'The test report is larger than 64 MiB.');
      }
      return { ...none, report: rest, outcomes: readReport(resultFormat, rest.toString(), task.workdir) };
    },
  };
}

/** What puts a task's hidden tests over its start: the same for all that is judged by them, and some work. */
const patches = new WeakMap<PreparedTask['tests'], Promise<Buffer>>();

function patchOfTests({ bundle, tests }: PreparedTask): Promise<Buffer> {
  const known = patches.get(tests);
  if (known !== undefined) return known;
  const patch = overlayPatch(bundle, [tests.root]);
  patches.set(tests, patch);
  patch.catch(() => patches.delete(tests));
  return patch;
}

function explained(error: unknown): never {
  if (!(error instanceof CoachError) || error.code !== 'sandbox.failed') throw error;
  throw new CoachError('sandbox.failed', `A patch does not apply in the sandbox: ${error.message}`, {
    cause: error,
    hint: 'The sandbox needs git, and the repository at its start commit.',
  });
}

/** Hidden tests that are laid while an agent works, for the first time that its change is judged. */
export class TestsAhead {
  #laying: Promise<LaidTests> | null = null;

  lay(laying: Promise<LaidTests>): void {
    this.#laying = laying;
    // Whoever takes them hears of it.
    laying.catch(() => undefined);
  }

  /** The caller's from now on; null when there are none, or they could not be laid. */
  async take(): Promise<LaidTests | null> {
    const laying = this.#laying;
    this.#laying = null;
    return laying?.catch(() => null) ?? null;
  }

  /** Removes what nobody has taken. */
  async dispose(): Promise<void> {
    await (await this.take())?.remove();
  }
}
