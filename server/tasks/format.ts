import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import * as z from 'zod';
import { CoachError } from '../../protocol/errors.ts';
import { TaskProof } from '../../protocol/tasks.ts';
import { writeFileAtomic } from '../base/files.ts';
import { contentDigest, filesBelow } from './contents.ts';
import { broken, parseFile, readJson, requireFile, requireTaskDirectory } from './createdTask.ts';
import { Mutant } from './mutation/mutant.ts';
import type { MutationVerifier, PreparedTask, RubricVerifier, TaskStep, VerifierEnvironment } from './preparedTask.ts';
import { judgedChecks, loadRubric, rubricDigest, rubricFile } from './rubric.ts';
import { type CoachMetadata, type ImportedMetadata, type SealedMetadata, TaskToml } from './taskToml.ts';

/** Build context of a verifier that has an environment of its own, and what its sandboxes start from: an empty tree. */
export const verifierDirectory = 'verifier';
export const verifierBundle = 'verifier.bundle';

const TestId = z.string().meta({ names: 'test' });

/**
 * `tests/expected.json`: ids of the tests that decide. An id is `<file> > <suite> > … > <test>`: the file relative to
 * the repository root with `/`, then the names from the outermost suite to the test, joined by ` > `. (JUnit of
 * node:test: attribute `file`, names of the enclosing `testsuite` elements, `name`.) Where a runner tells no file, its package
 * or program stands first. Several tests of one id count as
 * one, which passed when all passed.
 */
export const ExpectedFile = z.object({
  format: z.literal(1),
  fail_to_pass: z.array(TestId).describe('Tests that fail on the start and pass on the reference solution.'),
  pass_to_pass: z.array(TestId).describe('Tests that pass on both, and must go on passing.'),
  must_fail_when_wrong: z
    .array(TestId)
    .default([])
    .describe('Those of fail_to_pass that fail with wrong expectations, so that passing them proves something.'),
  exits_cleanly: z
    .boolean()
    .default(false)
    .describe('Whether the test command ended with exit code 0 on the reference solution.'),
  mutants: z.array(Mutant).default([]).describe('Of a task that asks for tests: the faults that they are judged by.'),
  proof: TaskProof.nullable().describe('What the last validation found; null before the first.'),
  proven_digest: z.string().nullable().describe('SHA-256 of what was proven; null while there is no proof.'),
});
type ExpectedFile = z.infer<typeof ExpectedFile>;

export interface ExpectedTests {
  readonly failToPass: readonly string[];
  readonly passToPass: readonly string[];
}

export interface JudgedTests extends ExpectedTests {
  /** Whether the test command ends with exit code 0 when all tests pass; false when that is not known. */
  readonly exitsCleanly: boolean;
}

export interface ProvenTests extends JudgedTests {
  /** Those of `failToPass` that the reference solution fails when their expectations are made wrong. */
  readonly mustFail: readonly string[];
  /** Faults that written tests are judged by. */
  readonly mutants?: readonly Mutant[];
}

/** Loads and checks a prepared task. @throws CoachError `task.missing`, or `task.invalid` naming file and field. */
export async function loadPreparedTask(directory: string): Promise<PreparedTask> {
  await requireTaskDirectory(directory);
  const toml = await loadTaskToml(directory);
  const coach = toml.metadata.codex_coach;
  const expected = await loadExpected(directory);
  const environment = join(directory, 'environment');
  const proofHolds = expected.proven_digest === (await contentDigest(directory));
  const shared = {
    name: basename(directory),
    directory,
    title: coach.title,
    kind: coach.verifier === 'script' ? ('code' as const) : coach.kind,
    environment,
    workdir: coach.workdir,
    rubric: await loadRubric(directory),
    agentTimeoutSec: toml.agent.timeout_sec,
    proof: proofHolds && expected.proof !== null ? await forRubric(expected.proof, directory) : null,
  };
  if (coach.verifier === 'script') {
    const whole: PreparedTask = { ...shared, ...(await loadImported(directory, toml, coach, expected)) };
    const [first, ...rest] = await Promise.all(coach.steps.map(step => loadStep(whole, step, coach.artifacts)));
    if (first !== undefined && whole.rubric !== null) {
      throw broken(join(directory, rubricFile), 'a task in steps is judged by its scripts alone');
    }
    return first === undefined ? whole : { ...whole, steps: { strategy: coach.step_rewards, each: [first, ...rest] } };
  }
  const bundle = await requireBundle(join(environment, 'repo.bundle'));
  for (const file of ['tests/test.sh', 'solution/solve.sh']) await requireFile(join(directory, file));
  const own = {
    ...shared,
    instruction: await loadInstruction(directory),
    bundle,
    baseImage: await loadBaseImage(join(environment, 'Dockerfile')),
    solutionPatch: await requireFile(join(directory, 'solution', 'solution.patch')),
    solve: null,
  };
  if (coach.verifier !== 'tests') {
    const tests = { root: join(directory, 'tests', 'files'), paths: [], changed: [] };
    return { ...own, tests, verifier: verifierWithoutTests(coach, toml, expected) };
  }
  return {
    ...own,
    tests: await loadTests(directory, coach.files),
    verifier: {
      kind: 'tests',
      command: coach.test_command,
      resultFormat: coach.result_format,
      resultFile: coach.result_file,
      timeoutSec: toml.verifier.timeout_sec,
      failToPass: expected.fail_to_pass,
      passToPass: expected.pass_to_pass,
      mustFail: expected.must_fail_when_wrong,
      exitsCleanly: expected.exits_cleanly,
    },
  };
}

/** A proof as far as it holds for the rubric as it is now: what a judge said of another one is left out. */
async function forRubric(proof: TaskProof, directory: string): Promise<TaskProof> {
  const { judge, ...rest } = proof;
  const isSame = judge !== undefined && (await rubricDigest(directory).catch(() => null)) === judge.rubric;
  if (judge === undefined || isSame) return proof;
  return { ...rest, reference: null, noOp: null, checks: rest.checks.filter(({ id }) => !judgedChecks.includes(id)) };
}

function verifierWithoutTests(
  coach: Exclude<SealedMetadata, CoachMetadata>,
  { verifier }: TaskToml,
  { mutants }: ExpectedFile,
): MutationVerifier | RubricVerifier {
  if (coach.verifier === 'rubric') return { kind: 'rubric' };
  return {
    kind: 'mutation',
    timeoutSec: verifier.timeout_sec,
    threshold: coach.mutation_threshold,
    sources: coach.mutate,
    mutants,
  };
}

type ImportedStep = ImportedMetadata['steps'][number];

type LoadedImported = Pick<
  PreparedTask,
  'instruction' | 'bundle' | 'baseImage' | 'tests' | 'outside' | 'solutionPatch' | 'solve' | 'verifier' | 'steps'
>;

/** @throws CoachError `task.invalid` also where the task was kept although it can't be run here */
async function loadImported(
  directory: string,
  toml: TaskToml,
  coach: ImportedMetadata,
  { must_fail_when_wrong: mustFail }: ExpectedFile,
): Promise<LoadedImported> {
  if (coach.cannot_run.length > 0) {
    throw new CoachError('task.invalid', `${basename(directory)} can't be run here: ${coach.cannot_run.join('; ')}.`, {
      hint: `It is kept as it came: codex-coach task export ${basename(directory)} --output <directory>`,
    });
  }
  const bundle = await requireBundle(join(directory, 'start.bundle'));
  const patch = await readFile(join(directory, 'solution', 'solution.patch')).catch(() => null);
  const solution = join(directory, 'solution', 'files');
  return {
    instruction: await loadInstruction(directory),
    bundle,
    baseImage: await loadBaseImage(join(directory, 'environment', 'Dockerfile')),
    // Those that all steps share lie with each step, too.
    tests: coach.steps.length === 0 ? await loadTests(directory, []) : { root: directory, paths: [], changed: [] },
    // The same in every step: what one leaves there is still there in the next.
    ...outsideOf(
      coach.workdir,
      [coach, ...coach.steps].flatMap(({ artifacts }) => artifacts),
    ),
    solutionPatch: patch,
    solve: coach.solve_command === undefined ? null : { root: solution, command: coach.solve_command },
    verifier: {
      kind: 'script',
      command: coach.verify_command,
      env: toml.verifier.env,
      timeoutSec: toml.verifier.timeout_sec,
      restoresTests: coach.imported_from === 'swe-bench',
      mustFail,
      ...(coach.verifier_environment === undefined
        ? {}
        : { own: await loadVerifierEnvironment(directory, directory, coach.verifier_environment, coach.artifacts) }),
    },
  };
}

/** What of the artifacts lies outside of the working directory. */
function outsideOf(workdir: string, artifacts: readonly string[]): Pick<PreparedTask, 'outside'> {
  const outside = artifacts.filter(path => path !== workdir && !path.startsWith(`${workdir}/`));
  return outside.length === 0 ? {} : { outside: [...new Set(outside)] };
}

/** @param place directory of the task or of its step */
async function loadVerifierEnvironment(
  directory: string,
  place: string,
  own: NonNullable<ImportedMetadata['verifier_environment']>,
  artifacts: readonly string[],
): Promise<VerifierEnvironment> {
  const context = join(place, verifierDirectory);
  return {
    directory: context,
    bundle: await requireBundle(join(directory, verifierBundle)),
    baseImage: await loadBaseImage(join(context, 'Dockerfile')),
    workdir: own.workdir,
    artifacts: [...(own.artifacts ?? []), ...artifacts],
  };
}

/** A step is the task with an instruction, tests and a solution of its own. */
async function loadStep(whole: PreparedTask, step: ImportedStep, ofTask: readonly string[]): Promise<TaskStep> {
  const directory = join(whole.directory, 'steps', step.name);
  const { verifier } = whole;
  if (verifier.kind !== 'script') throw broken(directory, 'only a script can judge steps');
  const workdirFiles = join(directory, 'workdir');
  const root = join(directory, 'tests');
  const artifacts = [...ofTask, ...step.artifacts];
  const { own: shared, ...judge } = verifier;
  const own = await stepEnvironment(whole, shared, step, artifacts);
  const task: PreparedTask = {
    ...whole,
    instruction: await loadInstruction(directory),
    tests: { root, paths: await filesBelow(root), changed: [] },
    solutionPatch: await readFile(join(directory, 'solution.patch')).catch(() => null),
    solve: step.solve_command === undefined ? null : { root: join(directory, 'solution'), command: step.solve_command },
    verifier: {
      ...judge,
      env: { ...judge.env, ...step.verify_env },
      timeoutSec: step.verify_timeout_sec,
      ...(own === null ? {} : { own }),
    },
  };
  const hasFiles = (await filesBelow(workdirFiles)).length > 0;
  return { name: step.name, minRewards: step.min_rewards, workdirFiles: hasFiles ? workdirFiles : null, task };
}

/** Where a step is judged: in an environment of its own, in that of the task's verifier, or, null, in that of its agent. */
async function stepEnvironment(
  { directory }: PreparedTask,
  ofTask: VerifierEnvironment | undefined,
  { name, verifier_environment: own }: ImportedStep,
  artifacts: readonly string[],
): Promise<VerifierEnvironment | null> {
  if (own === 'agent') return null;
  if (own !== undefined) return loadVerifierEnvironment(directory, join(directory, 'steps', name), own, artifacts);
  return ofTask === undefined ? null : { ...ofTask, artifacts: [...ofTask.artifacts, ...artifacts] };
}

async function requireBundle(bundle: string): Promise<string> {
  if (/^# v[23] git bundle\n/.test((await requireFile(bundle)).subarray(0, 32).toString('latin1'))) return bundle;
  throw broken(bundle, 'it is not a git bundle');
}

/** What only lists need of a prepared task. @throws CoachError like `loadPreparedTask`. */
export async function loadCoachMetadata(
  directory: string,
): Promise<(SealedMetadata | ImportedMetadata) & { readonly keywords: string[] }> {
  await requireTaskDirectory(directory);
  const { metadata, task } = await loadTaskToml(directory);
  return { ...metadata.codex_coach, keywords: task.keywords };
}

/** Records what `validate` found. The proof holds as long as the task's files stay as they are. */
export async function writeProof(directory: string, proof: TaskProof, expected: ProvenTests): Promise<void> {
  const content: ExpectedFile = {
    format: 1,
    fail_to_pass: [...expected.failToPass],
    pass_to_pass: [...expected.passToPass],
    must_fail_when_wrong: [...expected.mustFail],
    exits_cleanly: expected.exitsCleanly,
    mutants: [...(expected.mutants ?? [])],
    proof,
    proven_digest: await contentDigest(directory),
  };
  await writeFileAtomic(join(directory, 'tests', 'expected.json'), `${JSON.stringify(content, null, 2)}\n`);
}

/** Whether a proof says that the task can be used: the reference solves it, doing nothing or cheating does not. */
export function isProven(proof: TaskProof | null): proof is TaskProof {
  if (proof === null || !proof.checks.every(check => check.passed)) return false;
  // Nobody need have been asked about a task that a judge decides.
  const isUnjudged = proof.basis === 'rubric' && proof.judge === undefined;
  return isUnjudged || (proof.reference === 1 && proof.noOp === 0);
}

async function loadTaskToml(directory: string): Promise<TaskToml> {
  const file = join(directory, 'task.toml');
  return parseTaskToml(file, (await requireFile(file)).toString());
}

/** The content of a `task.toml`. @throws CoachError `task.invalid` naming the field, with what found it as its cause */
export function parseTaskToml(file: string, text: string): TaskToml {
  let content: unknown;
  try {
    content = parseToml(text);
  } catch (cause) {
    throw broken(file, `it is not TOML (${(cause as Error).message.split('\n')[0]})`, cause);
  }
  return parseFile(TaskToml, file, content);
}

async function loadExpected(directory: string): Promise<ExpectedFile> {
  const file = join(directory, 'tests', 'expected.json');
  return parseFile(ExpectedFile, file, await readJson(file));
}

async function loadInstruction(directory: string): Promise<string> {
  const file = join(directory, 'instruction.md');
  const instruction = (await requireFile(file)).toString().trim();
  if (instruction === '') throw broken(file, 'it is empty');
  return instruction;
}

/** The Dockerfile names it once, as the default of its BASE_IMAGE argument. */
async function loadBaseImage(file: string): Promise<string> {
  const image = /^ARG BASE_IMAGE=(\S+)$/m.exec((await requireFile(file)).toString())?.[1];
  if (image === undefined) throw broken(file, 'it has no line ARG BASE_IMAGE=<image>');
  return image;
}

async function loadTests(directory: string, files: readonly string[]): Promise<PreparedTask['tests']> {
  const root = join(directory, 'tests', 'files');
  const paths = await filesBelow(root);
  if (paths.length === 0) throw broken(root, 'it holds no test files');
  return { root, paths, changed: paths.filter(path => files.includes(path)) };
}
