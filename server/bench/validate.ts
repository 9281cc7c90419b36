import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { assertNever, CoachError } from '../../protocol/errors.ts';
import type { ProofCheck, QuarantinedTest, TaskProof } from '../../protocol/tasks.ts';
import { type Clock, toIso } from '../base/clock.ts';
import { writeFileAtomic } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import type { PreparedEnvironment } from '../executors/executor.ts';
import type { Executors } from '../executors/index.ts';
import { contentDigest } from '../tasks/contents.ts';
import { type ExpectedTests, loadPreparedTask, type ProvenTests, writeProof } from '../tasks/format.ts';
import type { PreparedTask, TestVerifier } from '../tasks/preparedTask.ts';
import { requireReference } from '../tasks/reference.ts';
import { prepareEnvironments } from './environments.ts';
import { proveByMutation } from './proof/mutation.ts';
import { flickering, provingConcurrency, repeatCheck, repeatReference, withEarlier } from './proof/repeats.ts';
import { type ProofJudge, proveByRubric } from './proof/rubric.ts';
import { runControls } from './proof/runControls.ts';
import { answersFile } from './rubric/recordedAnswers.ts';
import { runEach } from './scheduler.ts';
import { overSteps } from './steps.ts';
import { toJson } from './trials/trialFiles.ts';
import { failedIds, scriptTests, withCounterTests } from './verifier/counterproof.ts';
import { judge, type VerifierRun } from './verifier/score.ts';
import { settleImported } from './verifier/settleImported.ts';
import { type VerifierDeps, verify } from './verifier/verify.ts';
import type { VerifyOutcome } from './verifier/verifyOutcome.ts';

/** Proofs that were made on this machine, of any task. */
export interface ProofLog {
  addProof(entry: { readonly directory: string; readonly digest: string; readonly proof: TaskProof }): void;
  /** Those of a task with these contents, first to last. */
  proofs(digest: string): TaskProof[];
}

export interface ValidateDeps {
  readonly executors: Executors;
  readonly proofs: ProofLog;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ValidateSpec {
  /** Id of an executor, or `auto`. */
  readonly executor: string;
  /** Further runs of the reference solution, in shuffled order. */
  readonly repeats: number;
  /** Who is asked about a task without tests; nobody where it is absent. */
  readonly judge?: ProofJudge;
}

/** What all steps of one validation share. */
interface Proving {
  readonly task: PreparedTask;
  readonly environment: PreparedEnvironment;
  readonly executor: string;
  readonly repeats: number;
  readonly judge: ProofJudge | null;
  readonly deps: ValidateDeps;
  readonly signal: AbortSignal;
  readonly onRemoval: (removal: Promise<void>) => void;
}

/**
 * Proves a task in a real sandbox: runs its tests on the start and on the reference solution, finds out which tests the
 * solution turns from failing to passing, which of them fail when they expect something wrong and which change their mind,
 * lets agents that cheat work on it, and writes all of it into the task and the proof log.
 * @throws CoachError `task.referenceFails` naming the tests or criteria, `task.alreadySolved`, `task.cheatable`, `verifier.failed`
 */
export async function validateTask(
  task: PreparedTask,
  { executor, repeats, judge }: ValidateSpec,
  deps: ValidateDeps,
  signal: AbortSignal,
): Promise<TaskProof> {
  // An earlier proof pins the image that it was made on; this one is to be made on what there is now.
  const unproven = { ...task, proof: null };
  const environments = await prepareEnvironments([unproven], await deps.executors.choose(executor), deps.log, signal);
  const environment = environments.of(unproven);
  const removals: Promise<void>[] = [];
  const shared = {
    ...{ environment, executor: environments.executor.id, repeats, judge: judge ?? null, deps, signal },
    onRemoval: (removal: Promise<void>) => void removals.push(removal),
  };
  try {
    if (task.verifier.kind === 'script') {
      const trialId = `settle.${task.name}`;
      await settleImported({ trialId, task, ...shared }, signal);
    }
    const settled = task.verifier.kind === 'script' ? await loadPreparedTask(task.directory) : task;
    const proving = { ...shared, task: settled };
    const { proof, expected } = await prove(proving);
    await writeProof(task.directory, proof, expected);
    deps.proofs.addProof({ directory: task.directory, digest: await contentDigest(task.directory), proof });
    if (proof.checks.some(check => !check.passed)) throw cheatable(task, proof);
    return proof;
  } finally {
    await Promise.allSettled(removals);
  }
}

interface Proved {
  readonly proof: TaskProof;
  readonly expected: ProvenTests;
}

async function prove(proving: Proving): Promise<Proved> {
  const { verifier } = proving.task;
  switch (verifier.kind) {
    case 'tests':
      return proveTests(proving, verifier);
    case 'script':
      return proveScript(proving);
    case 'mutation': {
      const task = { ...proving.task, verifier };
      const { mutants, checks, ...rewards } = await proveByMutation(
        trialIdOf(task),
        task,
        depsOf(proving),
        proving.signal,
      );
      const proof: TaskProof = { ...toProof(proving, rewards, checks, []), basis: 'mutation' };
      return { proof, expected: { ...noTests, mutants } };
    }
    case 'rubric': {
      const { task, judge: asked, signal } = proving;
      const proved = await proveByRubric(trialIdOf(task), task, asked, depsOf(proving), signal);
      const { checks, recording, judge, ...rewards } = proved;
      if (recording !== null) await writeFileAtomic(join(task.directory, 'solution', answersFile), toJson(recording));
      const proof: TaskProof = { ...toProof(proving, rewards, checks, []), basis: 'rubric' };
      return { proof: judge === undefined ? proof : { ...proof, judge }, expected: noTests };
    }
    default:
      return assertNever(verifier);
  }
}

const noTests: ProvenTests = { failToPass: [], passToPass: [], mustFail: [], exitsCleanly: false };

function trialIdOf({ name }: PreparedTask): string {
  return `validate.${name}.${randomBytes(4).toString('hex')}`;
}

function depsOf({ environment, deps, onRemoval }: Proving): VerifierDeps {
  return { environment, log: deps.log, onRemoval };
}

async function proveTests(proving: Proving, verifier: TestVerifier): Promise<Proved> {
  const { task, repeats, deps, signal } = proving;
  const { before, after } = await beforeAndAfter(proving);
  if (after.outcomes === null) expectedTests(before, after, task, []);
  const startedAt = deps.clock.now();
  const repeated = await repeatReference(task, repeats, variant =>
    runVerifier(proving, requireReference(task), variant),
  );
  const runs = [after, ...repeated.runs];
  const earlier = deps.proofs.proofs(await contentDigest(task.directory)).at(-1)?.quarantined ?? [];
  const quarantined = withEarlier(flickering(runs), earlier, runs);
  const repetition = repeatCheck(repeated, quarantined, Math.round(deps.clock.now() - startedAt));
  const found = expectedTests(before, after, task, quarantined);
  const counter = await withCounterTests(task, directory =>
    runVerifier(proving, requireReference(task), task, directory),
  );
  const expected: ProvenTests = {
    ...found,
    mustFail: failedIds(counter, found.failToPass),
    exitsCleanly: runs.every(run => run.exitCode === 0),
  };
  const judged = { ...task, verifier: { ...verifier, ...expected } };
  const rewards = { reference: judge(after, expected).reward, noOp: judge(before, expected).reward };
  const seen = { report: after.report, noOp: rewards.noOp };
  const controls = await runControls({ ...proving, ...deps, task: judged }, seen, signal);
  return { proof: toProof(proving, rewards, [repetition, ...controls], quarantined), expected };
}

/** @throws CoachError `task.referenceFails`, `task.alreadySolved`, `verifier.failed` */
async function proveScript(proving: Proving): Promise<Proved> {
  const { task, repeats, deps, signal } = proving;
  const { before, after } = await beforeAndAfter(proving);
  requireScriptRewards(task, before, after);
  const startedAt = deps.clock.now();
  const repeated = await repeatReference(task, repeats, variant =>
    runVerifier(proving, requireReference(task), variant),
  );
  const other = repeated.runs.find(run => run.reward !== 1);
  if (other !== undefined) {
    throw new CoachError(
      'task.referenceFails',
      `The reference solution of ${task.name} scores 1, and ${other.reward} when it is judged again.`,
      { hint: 'Its verifier may depend on time or chance. Mend tests/ of the task, then validate it once more.' },
    );
  }
  const repetition = repeatCheck(repeated, [], Math.round(deps.clock.now() - startedAt));
  const counter = await withCounterTests(task, directory =>
    runVerifier(proving, requireReference(task), task, directory),
  );
  const outcomes = counter === null || counter.reward === 1 ? [] : scriptTests(counter);
  const mustFail = failedIds(
    { outcomes },
    outcomes.map(({ id }) => id),
  );
  const judged = task.verifier.kind === 'script' ? { ...task, verifier: { ...task.verifier, mustFail } } : task;
  const seen = { report: after.scriptFiles?.get('ctrf.json') ?? null, noOp: before.reward ?? 0 };
  const controls = await runControls({ ...proving, ...deps, task: judged }, seen, signal);
  // A script that says nothing without the solution, and 1 with it, has not passed the start.
  const proof = toProof(proving, { reference: 1, noOp: before.reward ?? 0 }, [repetition, ...controls], []);
  return { proof, expected: { ...noTests, mustFail } };
}

async function beforeAndAfter(proving: Proving): Promise<{ before: VerifyOutcome; after: VerifyOutcome }> {
  const found: Partial<Record<'before' | 'after', VerifyOutcome>> = {};
  const patches = { before: Buffer.alloc(0), after: requireReference(proving.task) };
  await runEach(['before', 'after'] as const, provingConcurrency, async side => {
    found[side] = await runVerifier(proving, patches[side], proving.task);
  });
  return found as Required<typeof found>;
}

function runVerifier(
  proving: Proving,
  patch: Buffer,
  task: PreparedTask,
  more: string | null = null,
): Promise<VerifyOutcome> {
  const to = depsOf(proving);
  // Each step has a reference solution of its own.
  const patchOf = (part: PreparedTask) => (patch === task.solutionPatch ? requireReference(part) : patch);
  return overSteps(task, part => verify(trialIdOf(task), part, patchOf(part), to, proving.signal, more));
}

function toProof(
  { environment, executor, deps }: Proving,
  rewards: Pick<TaskProof, 'reference' | 'noOp'>,
  checks: ProofCheck[],
  quarantined: QuarantinedTest[],
): TaskProof {
  return {
    ...rewards,
    provenAt: toIso(deps.clock.now()),
    executor,
    checks,
    quarantined,
    base: environment.base,
    basis: 'tests',
  };
}

function cheatable({ name }: PreparedTask, { checks, basis }: TaskProof): CoachError {
  const failed = checks
    .filter(check => !check.passed)
    .map(check => {
      return `${check.title} ${check.reward === null ? check.detail : `earns ${check.reward}`}`;
    });
  if (basis === 'rubric') {
    return new CoachError('task.cheatable', `The rubric of ${name} can't be trusted: ${failed.join('; ')}.`, {
      hint: 'Word criteria that only the change that was asked for meets, or take another judge, and validate it again.',
    });
  }
  return new CoachError('task.cheatable', `The tests of ${name} can't be trusted: ${failed.join('; ')}.`, {
    hint: 'Add tests that check values, so that passing them means something, and validate the task again.',
  });
}

/** @throws CoachError `task.referenceFails`, `task.alreadySolved`, `verifier.failed` */
function requireScriptRewards(task: PreparedTask, noOp: VerifierRun, reference: VerifierRun): void {
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
      hint: 'Only changes to files of the working directory, and declared artifacts, reach the verifier; a task of other effects can’t be judged here.',
    });
  }
  if (noOp.reward === 1) {
    throw new CoachError('task.alreadySolved', `The verifier of ${task.name} gives 1 for doing nothing.`, {
      hint: 'Mend tests/ of the task, then validate it once more.',
    });
  }
}

/**
 * What the reference solution proves: tests that fail before and pass after it, and those that pass both times. Tests
 * that fail both times were broken before, and count for nothing, unless the recorded change brought their file. Those in
 * quarantine are left out.
 */
export function expectedTests(
  before: VerifierRun,
  after: VerifierRun,
  task: PreparedTask,
  quarantined: readonly QuarantinedTest[],
): ExpectedTests {
  const isOut = new Set(quarantined.map(({ id }) => id));
  const passes = (run: VerifierRun) =>
    new Set(run.outcomes?.filter(outcome => outcome.status === 'passed').map(outcome => outcome.id));
  const passedBefore = passes(before);
  const passedAfter = passes(after);
  const changed = new Set(task.tests.changed);
  const isOfChange = (id: string) => changed.has(id.split(' > ')[0] ?? '');
  const failedAfter = (after.outcomes ?? []).filter(outcome => outcome.status === 'failed').map(outcome => outcome.id);
  const declared = task.verifier.kind === 'tests' ? [...task.verifier.failToPass, ...task.verifier.passToPass] : [];
  const missed = [
    ...declared.filter(id => !passedAfter.has(id)),
    ...failedAfter.filter(id => isOfChange(id) || passedBefore.has(id)),
    ...[...passedBefore].filter(id => !passedAfter.has(id)),
  ];
  const broken = new Set(missed.filter(id => !isOut.has(id)));
  if (after.outcomes === null || broken.size > 0) {
    throw new CoachError(
      'task.referenceFails',
      `The reference solution of ${task.name} fails its tests: ${named(broken, after)}`,
      {
        hint: 'Mend solution/ or tests/ of the task, or record it again; then validate it once more.',
      },
    );
  }
  const steady = [...passedAfter].filter(id => !isOut.has(id));
  const failToPass = steady.filter(id => !passedBefore.has(id));
  if (failToPass.length === 0 && quarantined.length > 0) throw nothingSteady(task, quarantined);
  if (failToPass.length === 0) {
    throw new CoachError('task.alreadySolved', `The tests of ${task.name} pass before the solution, too.`, {
      hint: 'Add a test that fails without the change, and record the task again.',
    });
  }
  return { failToPass, passToPass: steady.filter(id => passedBefore.has(id)) };
}

function nothingSteady({ name }: PreparedTask, quarantined: readonly QuarantinedTest[]): CoachError {
  const shown = quarantined.slice(0, 5).map(({ id, history }) => `${id} (${history.join(', ')})`);
  return new CoachError(
    'task.referenceFails',
    `No test of ${name} that the solution makes pass says the same each time: ${shown.join('; ')}.`,
    { hint: 'Mend tests/ of the task so that they depend neither on order, time nor chance; then validate it again.' },
  );
}

function named(ids: ReadonlySet<string>, run: VerifierRun): string {
  if (run.timedOut) return 'they did not end in time.';
  if (run.outcomes === null) return `they left no report (exit code ${run.exitCode}).`;
  return `${[...ids].slice(0, 10).join('; ')}${ids.size > 10 ? ` and ${ids.size - 10} more` : ''}.`;
}
