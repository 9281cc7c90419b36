import { randomBytes } from 'node:crypto';
import { CoachError } from '../../protocol/errors.ts';
import type { TaskProof } from '../../protocol/tasks.ts';
import { type Clock, toIso } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Executors } from '../executors/index.ts';
import { type ExpectedTests, loadPreparedTask, type ProvenTests, writeProof } from '../tasks/format.ts';
import type { PreparedTask } from '../tasks/preparedTask.ts';
import { requireReference } from '../tasks/reference.ts';
import { failedIds, withCounterTests } from './counterproof.ts';
import { prepareEnvironments } from './environments.ts';
import { judge, type VerifierRun } from './score.ts';
import { settleImported } from './settleImported.ts';
import { verify } from './verify.ts';

export interface ValidateDeps {
  readonly executors: Executors;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Proves a task in a real sandbox: runs its tests on the start and on the reference solution, finds out which tests the
 * solution turns from failing to passing and which of them fail when they expect something wrong, and writes all of it
 * into the task.
 * @param executor id of an executor, or `auto`
 * @throws CoachError `task.referenceFails` naming the tests, `task.alreadySolved`, `verifier.failed`
 */
export async function validateTask(
  task: PreparedTask,
  executor: string,
  deps: ValidateDeps,
  signal: AbortSignal,
): Promise<TaskProof> {
  const environments = await prepareEnvironments([task], await deps.executors.choose(executor), deps.log, signal);
  const removals: Promise<void>[] = [];
  const run = (patch: Buffer, more: string | null = null) =>
    verify(
      `validate.${task.name}.${randomBytes(4).toString('hex')}`,
      task,
      patch,
      { environment: environments.of(task), log: deps.log, onRemoval: removal => removals.push(removal) },
      signal,
      more,
    );
  try {
    if (task.verifier.kind === 'script') {
      const environment = environments.of(task);
      const onRemoval = (removal: Promise<void>) => removals.push(removal);
      await settleImported({ trialId: `settle.${task.name}`, task, environment, onRemoval }, signal);
      const settled = await loadPreparedTask(task.directory);
      const noOp = await run(Buffer.alloc(0));
      const reference = await run(requireReference(settled));
      return await writeScriptProof(task, noOp, reference, { deps, executor: environments.executor.id });
    }
    const before = await run(Buffer.alloc(0));
    const after = await run(requireReference(task));
    const found = expectedTests(before, after, task);
    const counter = await withCounterTests(task, directory => run(requireReference(task), directory));
    const expected: ProvenTests = {
      ...found,
      mustFail: failedIds(counter, found.failToPass),
      exitsCleanly: after.exitCode === 0,
    };
    const proof: TaskProof = {
      reference: judge(after, expected).reward,
      noOp: judge(before, expected).reward,
      provenAt: toIso(deps.clock.now()),
      executor: environments.executor.id,
    };
    await writeProof(task.directory, proof, expected);
    return proof;
  } finally {
    await Promise.allSettled(removals);
  }
}

/** @throws CoachError `task.referenceFails`, `task.alreadySolved`, `verifier.failed` */
async function writeScriptProof(
  task: PreparedTask,
  noOp: VerifierRun,
  reference: VerifierRun,
  { deps, executor }: { deps: ValidateDeps; executor: string },
): Promise<TaskProof> {
  if ((reference.reward ?? null) === null) {
    throw new CoachError(
      'verifier.failed',
      `The verifier of ${task.name} left no reward on the reference solution (exit code ${reference.exitCode}).`,
      {
        hint: 'It runs offline and as a user without rights; what it needs must be in the image.',
      },
    );
  }
  if (reference.reward !== 1) {
    throw new CoachError('task.referenceFails', `The reference solution of ${task.name} scores ${reference.reward}.`, {
      hint: 'Only changes to files of the working directory reach the verifier; a task of other effects can’t be judged here.',
    });
  }
  if (noOp.reward === 1) {
    throw new CoachError('task.alreadySolved', `The verifier of ${task.name} gives 1 for doing nothing.`, {
      hint: 'Mend tests/ of the task, then validate it once more.',
    });
  }
  // A script that says nothing without the solution, and 1 with it, has not passed the start.
  const proof: TaskProof = { reference: 1, noOp: noOp.reward ?? 0, provenAt: toIso(deps.clock.now()), executor };
  await writeProof(task.directory, proof, { failToPass: [], passToPass: [], mustFail: [], exitsCleanly: false });
  return proof;
}

/**
 * What the reference solution proves: tests that fail before and pass after it, and those that pass both times. Tests
 * that fail both times were broken before, and count for nothing, unless the recorded change brought their file.
 */
export function expectedTests(before: VerifierRun, after: VerifierRun, task: PreparedTask): ExpectedTests {
  const passes = (run: VerifierRun) =>
    new Set(run.outcomes?.filter(outcome => outcome.status === 'passed').map(outcome => outcome.id));
  const passedBefore = passes(before);
  const passedAfter = passes(after);
  const changed = new Set(task.tests.changed);
  const isOfChange = (id: string) => changed.has(id.split(' > ')[0] ?? '');
  const failedAfter = (after.outcomes ?? []).filter(outcome => outcome.status === 'failed').map(outcome => outcome.id);
  const declared = task.verifier.kind === 'script' ? [] : [...task.verifier.failToPass, ...task.verifier.passToPass];
  const broken = new Set([
    ...declared.filter(id => !passedAfter.has(id)),
    ...failedAfter.filter(id => isOfChange(id) || passedBefore.has(id)),
    ...[...passedBefore].filter(id => !passedAfter.has(id)),
  ]);
  if (after.outcomes === null || broken.size > 0) {
    throw new CoachError(
      'task.referenceFails',
      `The reference solution of ${task.name} fails its tests: ${named(broken, after)}`,
      {
        hint: 'Mend solution/ or tests/ of the task, or record it again; then validate it once more.',
      },
    );
  }
  const failToPass = [...passedAfter].filter(id => !passedBefore.has(id));
  if (failToPass.length === 0) {
    throw new CoachError('task.alreadySolved', `The tests of ${task.name} pass before the solution, too.`, {
      hint: 'Add a test that fails without the change, and record the task again.',
    });
  }
  return { failToPass, passToPass: [...passedAfter].filter(id => passedBefore.has(id)) };
}

function named(ids: ReadonlySet<string>, run: VerifierRun): string {
  if (run.timedOut) return 'they did not end in time.';
  if (run.outcomes === null) return `they left no report (exit code ${run.exitCode}).`;
  return `${[...ids].slice(0, 10).join('; ')}${ids.size > 10 ? ` and ${ids.size - 10} more` : ''}.`;
}
