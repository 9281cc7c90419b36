import { randomBytes } from 'node:crypto';
import { CoachError } from '../../../protocol/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Executors } from '../../executors/index.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { prepareEnvironments } from '../environments.ts';
import type { TestOutcome } from '../testReports/outcome.ts';
import { verify } from './verify.ts';

/** Last characters of what the tests printed that a fault quotes. */
const quotedChars = 300;

/**
 * Runs a task's tests on its start, without a change, in a fresh sandbox that is gone afterwards.
 * @param executor id of an executor, or `auto`
 * @throws CoachError `verifier.failed` when they leave no report, and those of the executor
 */
export async function runPresentTests(
  task: PreparedTask,
  executor: string,
  { executors, log }: { readonly executors: Executors; readonly log: Log },
  signal: AbortSignal,
): Promise<readonly TestOutcome[]> {
  const environment = (await prepareEnvironments([task], await executors.choose(executor), log, signal)).of(task);
  const removals: Promise<void>[] = [];
  const deps = { environment, log, onRemoval: (removal: Promise<void>) => void removals.push(removal) };
  try {
    const trialId = `check.${randomBytes(4).toString('hex')}`;
    const { outcomes, timedOut, exitCode, output } = await verify(trialId, task, Buffer.alloc(0), deps, signal);
    if (outcomes !== null) return outcomes;
    const why = timedOut ? 'did not end in time' : `ended with exit code ${exitCode}`;
    const last = output.toString().trim().slice(-quotedChars);
    throw new CoachError('verifier.failed', `The tests ${why} and left no report.`, {
      hint: last === '' ? 'They printed nothing.' : `The last they printed: ${last}`,
    });
  } finally {
    await Promise.allSettled(removals);
    await environment.discard?.();
  }
}
