import { randomBytes } from 'node:crypto';
import { CoachError } from '../../protocol/errors.ts';
import type { PreparedEnvironment } from '../executors/executor.ts';
import { sharedPlaces } from '../executors/places.ts';
import type { PreparedTask, TestVerifier } from '../tasks/preparedTask.ts';
import { placingArguments } from './outside.ts';
import { sandboxLimits, sandboxName } from './sandboxes.ts';
import { readReport } from './testReports.ts';
import { runPrepared } from './timedCommand.ts';
import type { VerifyOutcome } from './verifyOutcome.ts';

/** A task that is judged by hidden tests. */
export type TestedTask = PreparedTask & { readonly verifier: TestVerifier };

/** A fresh sandbox in which hidden tests wait for a change that touches none of them. */
export interface LaidTests {
  /**
   * Applies the change and runs them; once.
   * @throws CoachError `sandbox.failed` when it does not apply
   */
  run(change: Uint8Array, signal: AbortSignal): Promise<VerifyOutcome>;
  remove(): Promise<void>;
}

const readyLine = 'ready';
/** Where a report is put that its runner leaves where files can't be read once all has ended. */
const movedReport = '/logs/.report';
const maxReportBytes = 64 * 1024 * 1024;

/**
 * Arguments: the tests' command, where it leaves its report, where that is to be read, and what moves files of other places
 * there. Input: the change.
 */
const script = `
command=$1 result=$2 report=$3
shift 3
change=$(mktemp) && cat > "$change" || exit 1
if [ -s "$change" ]; then
  git apply --binary --whitespace=nowarn "$change" || exit 1
  [ $# -eq 0 ] || sh "$@" || exit 1
fi
rm "$change" && mkdir -p "$(dirname "$result")" && rm -rf "$result" || exit 1
echo ${readyLine}
sh -c "$command" < /dev/null
code=$?
[ "$result" = "$report" ] || cp "$result" "$report"
exit $code
`;

/**
 * Makes the sandbox and puts the hidden tests into it; nothing runs yet.
 * @param more directory of files that are put over the tests
 */
export async function layTests(
  trialId: string,
  task: TestedTask,
  more: string | null,
  environment: PreparedEnvironment,
  signal: AbortSignal,
): Promise<LaidTests> {
  const { workdir, tests } = task;
  const { command, resultFile, resultFormat, timeoutSec } = task.verifier;
  const isReadable = [workdir, ...sharedPlaces].some(place => resultFile.startsWith(`${place}/`));
  const report = isReadable ? resultFile : movedReport;
  const words = [command, resultFile, report, ...placingArguments(task)];
  const only = { argv: ['sh', '-c', script, 'sh', ...words] as const, cwd: workdir, env: {} };
  const sandbox = await environment.start(
    {
      // A try that goes on with another server lays its tests anew, maybe before the old ones are swept.
      name: `${sandboxName(trialId, 'verify')}-${randomBytes(3).toString('hex')}`,
      labels: { 'coach.trial': trialId },
      ...{ endpoint: null, mounts: [], limits: sandboxLimits(), only },
    },
    signal,
  );
  try {
    await sandbox.copyIn(tests.root, workdir, signal);
    if (more !== null) await sandbox.copyIn(more, workdir, signal);
  } catch (error) {
    await sandbox.remove();
    throw error;
  }
  return {
    remove: () => sandbox.remove(),
    async run(change, runSignal) {
      const run = await runPrepared(sandbox, { ...only, stdin: change }, { readyLine, timeoutSec }, runSignal).catch(
        explained,
      );
      const none = { ...run, format: resultFormat, report: null, outcomes: null };
      if (run.timedOut) return none;
      const read = await sandbox.readFile(report, maxReportBytes, runSignal);
      if (read === null || read.length === 0) return none;
      if (read.length >= maxReportBytes) {
        throw new CoachError('verifier.failed', 'The test report is larger than 64 MiB.');
      }
      return { ...none, report: read, outcomes: readReport(resultFormat, read.toString(), workdir) };
    },
  };
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
