import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import type { TestVerdict } from '../../../protocol/runs.ts';
import { temporaryScratch } from '../../base/owner.ts';
import { mutantName } from '../../tasks/mutation/mutant.ts';
import { requireReference } from '../../tasks/reference.ts';
import type { TestSetup } from '../../tasks/testing/testCommand.ts';
import { type MutationRuns, runMutants, runRespaced } from './mutationRuns.ts';
import type { Verdict, VerifierRun } from './score.ts';
import type { VerifierDeps } from './verify.ts';
import type { VerifyOutcome } from './verifyOutcome.ts';
import { runWritten, takeWrittenTests, type WritingTask, type WrittenTests } from './writtenTests.ts';

/** The verdict on the tests themselves, before any fault is planted. */
const passId = 'the written tests pass on the code';
const steadyId = 'the written tests pass on the code in another spelling';

interface Judged {
  readonly run: VerifyOutcome;
  readonly verdict: Verdict;
}

/**
 * Judges the tests that a change brings by what they find. They must pass on the code, as it is and with other spacing,
 * and fail on mutants of it; whatever else the change did is dropped. 1 when they find the task's share of the mutants,
 * else 0.
 * @throws CoachError `verifier.failed` when there is no mutant yet, or not even the reference's tests come to a report
 */
export async function judgeWrittenTests(
  trialId: string,
  task: WritingTask,
  patch: Uint8Array,
  deps: VerifierDeps,
  signal: AbortSignal,
): Promise<Judged> {
  if (task.verifier.mutants.length === 0) {
    throw new CoachError('verifier.failed', 'The task has no mutants, so no tests can be judged.', {
      hint: `Run: codex-coach task validate ${task.name}, which finds them.`,
    });
  }
  const scratch = await temporaryScratch('mutation');
  try {
    const written = await takeWrittenTests(task, patch, join(scratch, 'written'), signal);
    const setup = written.paths.length === 0 ? 'No test file was written.' : await setupOf(written);
    if (typeof setup === 'string') return { run: nothingRun, verdict: refused(task, setup) };
    const startedAt = performance.now();
    const run = await runWritten(
      trialId,
      written,
      setup,
      { timeoutSec: task.verifier.timeoutSec, more: null },
      deps,
      signal,
    );
    const tookMs = performance.now() - startedAt;
    if (run.outcomes === null && !run.timedOut) await requireReport({ trialId, task, scratch, deps }, signal);
    const fault = whyNotPassed(run);
    if (fault !== null) return { run, verdict: refused(task, fault) };
    return { run, verdict: await findMutants(run, { written, setup, tookMs, trialId, scratch, deps }, signal) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** How the tests run, or in words why they can't. */
async function setupOf(written: WrittenTests): Promise<TestSetup | string> {
  return written.setup(false).catch((error: unknown) => {
    const coach = CoachError.from(error);
    if (coach.code !== 'task.invalid') throw error;
    return coach.message;
  });
}

async function findMutants(base: VerifyOutcome, runs: MutationRuns, signal: AbortSignal): Promise<Verdict> {
  const { task } = runs.written;
  const { mutants, threshold } = task.verifier;
  const ids = passedIds(base);
  for (const run of await runRespaced(mutants, runs, signal)) {
    if (missesOf(run, ids).length > 0) {
      return refused(
        task,
        'They fail when nothing but spaces in the code changes: they look at its text, or depend on chance.',
        true,
      );
    }
  }
  const tests = (await runMutants(mutants, runs, signal)).map(({ mutant, run }): TestVerdict => {
    const isFound = missesOf(run, ids).length > 0;
    const message = isFound ? null : 'No written test fails on it.';
    return { id: mutantName(mutant), expected: 'failToPass', status: isFound ? 'passed' : 'failed', message };
  });
  const found = tests.filter(test => test.status === 'passed').length;
  return { reward: found >= threshold * mutants.length ? 1 : 0, tests: [...bothPassed, ...tests] };
}

/** Ids of the tests that passed. */
export function passedIds({ outcomes }: VerifierRun): string[] {
  return (outcomes ?? []).filter(({ status }) => status === 'passed').map(({ id }) => id);
}

/** Which of these tests did not pass in a run. */
export function missesOf(run: VerifierRun, ids: readonly string[]): string[] {
  const passed = new Set(passedIds(run));
  return ids.filter(id => !passed.has(id));
}

/** Why tests did not all pass, in words; null when they did. */
export function whyNotPassed(run: VerifierRun): string | null {
  if (run.timedOut) return 'They did not end in time.';
  if (run.outcomes === null) return `They left no report (exit code ${run.exitCode}).`;
  const failed = run.outcomes.filter(({ status }) => status === 'failed').map(({ id }) => id);
  if (failed.length > 0) return `They fail on the code as it is: ${failed.slice(0, 5).join('; ')}.`;
  if (passedIds(run).length === 0) return 'None of them passed.';
  return run.exitCode === 0 ? null : `No test failed, but they ended with exit code ${run.exitCode}.`;
}

/** The verdict when the tests can't be asked about any mutant. */
function refused(task: WritingTask, why: string, passed = false): Verdict {
  const failed = { expected: 'passToPass', status: 'failed', message: why } as const;
  const first: TestVerdict[] = passed ? [bothPassed[0], { id: steadyId, ...failed }] : [{ id: passId, ...failed }];
  const rest = task.verifier.mutants.map((mutant): TestVerdict => {
    return { id: mutantName(mutant), expected: 'failToPass', status: 'missing', message: null };
  });
  return { reward: 0, tests: [...first, ...rest] };
}

const bothPassed = [
  { id: passId, expected: 'passToPass', status: 'passed', message: null },
  { id: steadyId, expected: 'passToPass', status: 'passed', message: null },
] as const satisfies TestVerdict[];

const nothingRun: VerifyOutcome = {
  ...{ exitCode: null, timedOut: false, outcomes: null, report: null, format: null },
  output: Buffer.alloc(0),
};

/** Whose fault it is that there is no report: the sandbox's, when the reference's tests leave none either. */
async function requireReport(
  { trialId, task, scratch, deps }: Pick<MutationRuns, 'trialId' | 'scratch' | 'deps'> & { task: WritingTask },
  signal: AbortSignal,
): Promise<void> {
  const reference = await takeWrittenTests(task, requireReference(task), join(scratch, 'reference'), signal);
  const plain = { timeoutSec: task.verifier.timeoutSec, more: null };
  const run = await runWritten(`${trialId}.reference`, reference, await reference.setup(false), plain, deps, signal);
  if (run.outcomes !== null) return;
  throw new CoachError(
    'verifier.failed',
    `The tests could not be run, not even those of the reference (exit code ${run.exitCode}, no report).`,
    { hint: 'Look at verifier/test-stdout.txt of the trial, and validate the task again.' },
  );
}
