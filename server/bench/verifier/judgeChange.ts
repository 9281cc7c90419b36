import { CoachError } from '../../../protocol/errors.ts';
import type { PreparedTask, ScriptVerifier } from '../../tasks/preparedTask.ts';
import { requireReference } from '../../tasks/reference.ts';
import { overSteps } from '../steps.ts';
import { afterCounterproof, forgedTests, withCounterTests } from './counterproof.ts';
import { judgeWrittenTests } from './mutationVerifier.ts';
import { judge, toVerdict, type Verdict, type VerifierRun } from './score.ts';
import { type VerifierDeps, verify } from './verify.ts';
import type { VerifyOutcome } from './verifyOutcome.ts';

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
  if (task.steps !== undefined) return judgeAllSteps(trialId, task, patch, deps, signal);
  const { verifier } = task;
  if (verifier.kind === 'mutation') return judgeWrittenTests(trialId, { ...task, verifier }, patch, deps, signal);
  const run = await verify(trialId, task, patch, deps, signal);
  if (isMute(run, task) && !run.timedOut) {
    const reference = await verify(`${trialId}.reference`, task, requireReference(task), deps, signal);
    if (isMute(reference, task)) throw brokenVerifier(run.exitCode);
  }
  if (verifier.kind === 'script') return afterScript({ trialId, task, patch, verifier, run }, deps, signal);
  if (verifier.kind === 'rubric') throw new CoachError('internal', `${task.name} is judged by its rubric alone.`);
  const verdict = judge(run, verifier);
  const { mustFail } = verifier;
  if (verdict.reward < 1 || mustFail.length === 0) return { run, verdict };
  const counter = await withCounterTests(task, directory =>
    verify(`${trialId}.counterproof`, task, patch, deps, signal, directory),
  );
  if (counter === null) return { run, verdict };
  return { run, verdict: toVerdict(afterCounterproof(verdict.tests, counter, mustFail)) };
}

interface ScriptJudgement {
  readonly trialId: string;
  readonly task: PreparedTask;
  readonly patch: Uint8Array;
  readonly verifier: ScriptVerifier;
  readonly run: VerifyOutcome;
}

/** The verdict of a script, which the counterproof may void. */
async function afterScript(
  { trialId, task, patch, verifier: { mustFail }, run }: ScriptJudgement,
  deps: VerifierDeps,
  signal: AbortSignal,
): Promise<{ run: VerifyOutcome; verdict: Verdict }> {
  const verdict = { reward: run.reward ?? 0, tests: [] };
  if (verdict.reward < 1 || mustFail.length === 0) return { run, verdict };
  const counter = await withCounterTests(task, directory =>
    verify(`${trialId}.counterproof`, task, patch, deps, signal, directory),
  );
  const forged = counter === null ? [] : forgedTests(counter, mustFail);
  return forged.length === 0 ? { run, verdict } : { run, verdict: { reward: 0, tests: forged } };
}

/** One change, judged by every step of a task in turn. Agents are not judged so, but what stands for their whole work is. */
async function judgeAllSteps(
  trialId: string,
  task: PreparedTask,
  patch: Uint8Array,
  deps: VerifierDeps,
  signal: AbortSignal,
): Promise<{ run: VerifyOutcome; verdict: Verdict }> {
  let number = 0;
  const { run, reward } = await overSteps(task, async part => {
    const judged = await judgeChange(`${trialId}.${++number}`, part, patch, deps, signal);
    return { run: judged.run, reward: judged.verdict.reward as number | null };
  });
  return { run, verdict: { reward: reward ?? 0, tests: [] } };
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
