import { CoachError } from '../../protocol/errors.ts';
import type { PreparedTask } from '../tasks/preparedTask.ts';
import { requireReference } from '../tasks/reference.ts';
import { afterCounterproof, withCounterTests } from './counterproof.ts';
import { judge, toVerdict, type Verdict, type VerifierRun } from './score.ts';
import { type VerifierDeps, type VerifyOutcome, verify } from './verify.ts';

/**
 * Runs the hidden tests on a change and judges it. What leaves doubt is run again, each time in a fresh sandbox:
 * - when there is no report, the reference solution tells whose fault that is. It leaves one: the change broke or blocked the
 *   tests, and all are missing. It leaves none either: the verifier is broken, and there is no verdict;
 * - when all passed, wrong expectations tell whether passing means anything (counterproof.ts).
 * @throws CoachError `verifier.failed`
 */
export async function judgeChange(
  trialId: string,
  task: PreparedTask,
  patch: Uint8Array,
  deps: VerifierDeps,
  signal: AbortSignal,
): Promise<{ run: VerifyOutcome; verdict: Verdict }> {
  const run = await verify(trialId, task, patch, deps, signal);
  const { verifier } = task;
  if (isMute(run, task) && !run.timedOut) {
    const reference = await verify(`${trialId}.reference`, task, requireReference(task), deps, signal);
    if (isMute(reference, task)) throw brokenVerifier(run.exitCode);
  }
  if (verifier.kind === 'script') return { run, verdict: { reward: run.reward ?? 0, tests: [] } };
  const verdict = judge(run, verifier);
  const { mustFail } = verifier;
  if (verdict.reward < 1 || mustFail.length === 0) return { run, verdict };
  const counter = await withCounterTests(task, directory =>
    verify(`${trialId}.counterproof`, task, patch, deps, signal, directory),
  );
  if (counter === null) return { run, verdict };
  return { run, verdict: toVerdict(afterCounterproof(verdict.tests, counter, mustFail)) };
}

/** Whether a verifier came to no word about the change: no report of tests, no reward of a script. */
export function isMute(run: VerifierRun, { verifier }: PreparedTask): boolean {
  return verifier.kind === 'script' ? (run.reward ?? null) === null : run.outcomes === null;
}

function brokenVerifier(exitCode: number | null): CoachError {
  return new CoachError(
    'verifier.failed',
    `The tests could not be run, not even on the reference solution (exit code ${exitCode}, no report).`,
    { hint: 'Look at verifier/test-stdout.txt of the trial, and validate the task again.' },
  );
}
