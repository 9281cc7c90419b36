import { CoachError } from '../../../protocol/errors.ts';
import { toMoney } from '../../../protocol/figures.ts';
import type { RubricVerdict } from '../../../protocol/rubric.ts';
import type { ProofCheck, TaskProof } from '../../../protocol/tasks.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { requireReference } from '../../tasks/reference.ts';
import { judgedReference, loadRubric, type Rubric, rubricDigest, unrelatedCheck } from '../../tasks/rubric.ts';
import { type JudgeSettings, parseJudge } from '../rubric/judgeChoice.ts';
import { type JudgeDeps, type JudgedRubric, judgeRubric } from '../rubric/judgeRubric.ts';
import type { JudgeRecording } from '../rubric/recordedAnswers.ts';
import { applyIn, sandboxLimits, sandboxName } from '../sandboxes.ts';
import type { VerifierDeps } from '../verifier/verify.ts';

/** Who is asked about a task that only a rubric judges. */
export interface ProofJudge {
  readonly settings: JudgeSettings;
  readonly deps: JudgeDeps;
}

export interface RubricProof extends Pick<TaskProof, 'reference' | 'noOp' | 'judge' | 'checks'> {
  /** What a model answered; null where none was asked. */
  readonly recording: JudgeRecording | null;
}

/**
 * What can be shown of a task that only a rubric judges: there is a rubric, and the reference solution can be put in place in
 * the sandbox. A judge, where there is one, is asked about the reference, which must meet all, and about a change that has
 * nothing to do with the task, which must not: a judge that says yes to everything proves nothing.
 * @throws CoachError `task.invalid`, `task.referenceFails`, and what keeps the judge from a verdict
 */
export async function proveByRubric(
  trialId: string,
  task: PreparedTask,
  judge: ProofJudge | null,
  deps: VerifierDeps,
  signal: AbortSignal,
): Promise<RubricProof> {
  const startedAt = performance.now();
  const rubric = await requireRubric(task);
  await applyReference(trialId, task, deps, signal);
  const passed = { reward: null, passed: true };
  const checks: ProofCheck[] = [
    { id: 'rubric', title: 'the rubric', ...passed, detail: `${rubric.criteria.length} criteria`, durationMs: 0 },
    {
      ...{ id: 'applies', title: 'the reference solution', ...passed, detail: 'applies to the start' },
      durationMs: Math.round(performance.now() - startedAt),
    },
  ];
  const isAsked = judge !== null && parseJudge(judge.settings.judge).kind !== 'none';
  if (!isAsked) return { reference: null, noOp: null, checks, recording: null };
  const asked = await askJudge({ trialId, task, rubric, judge }, signal);
  const { judge: name, votes } = judge.settings;
  return {
    ...{ reference: 1, noOp: asked.noOp, checks: [...checks, ...asked.checks], recording: asked.recording },
    judge: { name, votes, rubric: await rubricDigest(task.directory) },
  };
}

interface Asking {
  readonly trialId: string;
  readonly task: PreparedTask;
  readonly rubric: Rubric;
  readonly judge: ProofJudge;
}

async function askJudge(asking: Asking, signal: AbortSignal) {
  const { task } = asking;
  const startedAt = performance.now();
  const reference = await ask(asking, 'reference', requireReference(task).toString(), signal);
  if (reference.verdict.error !== null) throw CoachError.fromShape(reference.verdict.error);
  if (reference.verdict.share !== 1) throw unmetReference(task, reference.verdict);
  const referenceMs = Math.round(performance.now() - startedAt);
  const noOp = await ask(asking, 'noOp', '', signal);
  const other = await ask(asking, 'unrelated', unrelatedChange, signal);
  const checks: ProofCheck[] = [
    {
      ...{ id: judgedReference, title: 'the reference solution, by the judge', reward: 1, passed: true },
      ...{ detail: inWords(reference.verdict), durationMs: referenceMs },
    },
  ];
  // A recording of trials knows the reference alone.
  if (other.verdict.error?.code !== 'replay.mismatch') {
    if (other.verdict.error !== null) throw CoachError.fromShape(other.verdict.error);
    checks.push({
      ...{ id: unrelatedCheck, title: 'a change that has nothing to do with the task' },
      ...{ reward: other.verdict.share, passed: other.verdict.share !== 1, detail: inWords(other.verdict) },
      durationMs: Math.round(performance.now() - startedAt) - referenceMs,
    });
  }
  const answers = [reference, other].flatMap(({ recording }) => recording?.answers ?? []);
  const recording = reference.recording === null ? null : { ...reference.recording, answers };
  return { noOp: noOp.verdict.share, checks, recording };
}

function ask(
  { trialId, task, rubric, judge }: Asking,
  what: string,
  patch: string,
  signal: AbortSignal,
): Promise<JudgedRubric> {
  const { settings, deps } = judge;
  return judgeRubric(
    {
      trialId: `${trialId}.${what}`,
      ...{ criteria: rubric.criteria, judge: parseJudge(settings.judge), votes: settings.votes },
      work: { instruction: task.instruction, patch, message: null },
    },
    deps,
    signal,
  );
}

const unrelatedChange = `diff --git a/unrelated-note.txt b/unrelated-note.txt
new file mode 100644
--- /dev/null
+++ b/unrelated-note.txt
@@ -0,0 +1 @@
+This line has nothing to do with what was asked for.
`;

function inWords({ criteria, judge, votes, agreement, cost }: RubricVerdict): string {
  const met = criteria.filter(({ verdict }) => verdict === 'met').length;
  const agreed = agreement === null ? '' : `, agreement ${agreement.toFixed(2)}`;
  return `${judge}: ${met} of ${criteria.length} criteria met, ${votes} votes each${agreed}, ${toMoney(cost)}`;
}

function unmetReference({ name }: PreparedTask, { judge, criteria }: RubricVerdict): CoachError {
  const unmet = criteria.filter(({ verdict }) => verdict !== 'met').map(({ id, text }) => `${id}: ${text}`);
  return new CoachError(
    'task.referenceFails',
    `The judge ${judge} does not find ${unmet.length} of ${criteria.length} criteria met by the reference solution of ${name}. ${unmet.join('; ')}`,
    { hint: 'Word the criteria in its rubric.toml so that the recorded change meets them, or record the task again.' },
  );
}

async function requireRubric({ directory, name }: PreparedTask): Promise<Rubric> {
  const rubric = await loadRubric(directory);
  if (rubric !== null && rubric.criteria.length > 0) return rubric;
  throw new CoachError('task.invalid', `${name} has neither tests nor a rubric, so nothing can judge it.`, {
    hint: 'Give it a rubric.toml with criteria; see docs/task-format.md.',
  });
}

async function applyReference(
  trialId: string,
  task: PreparedTask,
  deps: VerifierDeps,
  signal: AbortSignal,
): Promise<void> {
  const spec = {
    name: sandboxName(trialId, 'verify'),
    labels: { 'coach.trial': trialId },
    ...{ endpoint: null, mounts: [], limits: sandboxLimits() },
  };
  const sandbox = await deps.environment.start(spec, signal);
  try {
    await applyIn(sandbox, task.workdir, requireReference(task), signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw new CoachError('task.referenceFails', `The reference solution of ${task.name} does not apply to its start.`, {
      cause,
      hint: 'Mend solution/solution.patch, or record the task again.',
    });
  } finally {
    deps.onRemoval(sandbox.remove());
  }
}
