import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import type { ProofCheck } from '../../../protocol/tasks.ts';
import { temporaryScratch } from '../../base/owner.ts';
import type { Mutant } from '../../tasks/mutation/mutant.ts';
import { mutantsOf } from '../../tasks/mutation/mutate.ts';
import { requireReference } from '../../tasks/reference.ts';
import { runMutants } from '../verifier/mutationRuns.ts';
import { judgeWrittenTests, missesOf, passedIds, whyNotPassed } from '../verifier/mutationVerifier.ts';
import type { VerifierDeps } from '../verifier/verify.ts';
import type { VerifyOutcome } from '../verifier/verifyOutcome.ts';
import { runWritten, takeWrittenTests, type WritingTask, type WrittenTests } from '../verifier/writtenTests.ts';

/** Places that are tried, and mutants that are kept of those that proved good. */
const maxTried = 40;
const maxKept = 20;

/** Fewer say nothing about tests. */
const minKept = 3;

export interface MutationProof {
  readonly reference: number;
  readonly noOp: number;
  readonly mutants: readonly Mutant[];
  readonly checks: ProofCheck[];
}

/**
 * Finds the mutants that a task's tests are judged by: those that the reference's tests find and the tests that were
 * there before do not. So each one changes what the code does, is reached by a test, and is not found for free. Then the
 * reference and the start are judged by them as any agent's work is.
 * @throws CoachError `task.referenceFails`, `task.alreadySolved`, `task.invalid`, `verifier.failed`
 */
export async function proveByMutation(
  trialId: string,
  task: WritingTask,
  deps: VerifierDeps,
  signal: AbortSignal,
): Promise<MutationProof> {
  const startedAt = performance.now();
  const scratch = await temporaryScratch('mutants');
  try {
    const written = await takeWrittenTests(task, requireReference(task), join(scratch, 'written'), signal);
    const { kept, tried } = await goodMutants({ trialId, task, written, scratch, deps }, signal);
    const judged: WritingTask = { ...task, verifier: { ...task.verifier, mutants: kept } };
    const rewardOf = async (name: string, patch: Uint8Array) =>
      (await judgeWrittenTests(`${trialId}.${name}`, judged, patch, deps, signal)).verdict.reward;
    const check: ProofCheck = {
      id: 'mutants',
      title: 'planted faults',
      reward: null,
      passed: true,
      detail: `${kept.length} faults kept of ${tried} tried: the reference’s tests find them, those of the start don’t`,
      durationMs: Math.round(performance.now() - startedAt),
    };
    const reference = await rewardOf('reference', requireReference(task));
    return { reference, noOp: await rewardOf('noOp', Buffer.alloc(0)), mutants: kept, checks: [check] };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Proving {
  readonly trialId: string;
  readonly task: WritingTask;
  readonly written: WrittenTests;
  readonly scratch: string;
  readonly deps: VerifierDeps;
}

async function goodMutants(proving: Proving, signal: AbortSignal): Promise<{ kept: Mutant[]; tried: number }> {
  const { task, written } = proving;
  const { setup, all, added, before, tookMs } = await baseRuns(proving, signal);
  const candidates = mutantsOf(task.verifier.sources, path => written.sources.get(path) ?? null, maxTried);
  const runs = await runMutants(candidates, { ...proving, setup, tookMs }, signal);
  // A fault that keeps every test from running breaks the program; it takes no test to find it.
  const good = runs.filter(({ run }) => failedIds(run).some(id => added.has(id)) && missesOf(run, before).length === 0);
  if (good.length >= minKept) return { kept: spread(good.map(({ mutant }) => mutant)), tried: candidates.length };
  throw new CoachError(
    'task.invalid',
    `The reference’s ${all.length} tests find ${good.length} of ${candidates.length} planted faults that no other test finds; at least ${minKept} are needed.`,
    {
      hint: 'Name other code in "mutate" of task.toml (codex-coach task edit --part settings), or record a task with more telling tests.',
    },
  );
}

/** Runs the tests of the start and those with the reference's, on the code as it is. */
async function baseRuns(proving: Proving, signal: AbortSignal) {
  const { trialId, task, written, deps } = proving;
  const plain = { timeoutSec: task.verifier.timeoutSec, more: null };
  const setup = await written.setup(true);
  const startedAt = performance.now();
  const run = await runWritten(`${trialId}.all`, written, setup, plain, deps, signal);
  const tookMs = performance.now() - startedAt;
  const fault = whyNotPassed(run);
  if (fault !== null) {
    throw new CoachError('task.referenceFails', `The tests that ${task.name} is about can't judge anything. ${fault}`, {
      hint: 'Mend solution/ of the task, or record it again; then validate it once more.',
    });
  }
  const before = await passedBefore(proving, signal);
  const all = passedIds(run);
  const added = new Set(all.filter(id => !before.includes(id)));
  if (added.size > 0) return { setup, all, added, before, tookMs };
  throw new CoachError('task.alreadySolved', `The reference of ${task.name} adds no test that was not there before.`, {
    hint: 'Record a task that brings new tests.',
  });
}

/** Ids of the start's own tests that pass; none where it has no tests. */
async function passedBefore({ trialId, task, scratch, deps }: Proving, signal: AbortSignal): Promise<string[]> {
  const start = await takeWrittenTests(task, Buffer.alloc(0), join(scratch, 'start'), signal);
  const setup = await start.setup(true).catch(() => null);
  if (setup === null) return [];
  const plain = { timeoutSec: task.verifier.timeoutSec, more: null };
  return passedIds(await runWritten(`${trialId}.start`, start, setup, plain, deps, signal));
}

function failedIds({ outcomes }: VerifyOutcome): string[] {
  return (outcomes ?? []).filter(({ status }) => status === 'failed').map(({ id }) => id);
}

function spread(mutants: readonly Mutant[]): Mutant[] {
  return mutants.filter((_, index) => {
    const share = maxKept / mutants.length;
    return share >= 1 || Math.floor((index + 1) * share) > Math.floor(index * share);
  });
}
