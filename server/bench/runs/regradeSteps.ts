import { CoachError } from '../../../protocol/errors.ts';
import type { StepRegrade, StepVerdict, TrialSummary } from '../../../protocol/runs.ts';
import type { TaskStep, TaskSteps } from '../../tasks/preparedTask.ts';
import { goesOn, rewardOfSteps } from '../steps.ts';

/** What a trial of a task in steps has left. */
export interface LeftSteps {
  readonly trial: Pick<TrialSummary, 'id' | 'steps'>;
  /** How the work on the step after those ended that was done and never judged; null where there is none. */
  readonly unjudged: StepVerdict['end'] | null;
  /** What the working directory held at the end of a step, as a patch of the start; null when it is not there. */
  patchOf(step: string): Promise<Buffer | null>;
}

/** Judges what was left of a step. `number` is its place, from 1. */
export type JudgeStep = (
  step: TaskStep,
  patch: Buffer,
  number: number,
) => Promise<Pick<StepVerdict, 'rewards'> & { readonly reward: number }>;

export interface RegradedSteps {
  readonly after: number | null;
  readonly steps: StepRegrade[];
  /** Why there is no verdict of the whole, naming each step that has none. */
  readonly error: CoachError | null;
}

/**
 * Judges each step of a trial by what was kept at its end. The verdicts decide again how far the trial came: a step behind
 * one that falls below its smallest reward counts no more, and one that would be reached now and was never worked on
 * leaves the trial without a verdict. So does every step that can't be judged.
 * @throws the signal's reason
 */
export async function regradeSteps(
  left: LeftSteps,
  { strategy, each }: TaskSteps,
  judge: JudgeStep,
  signal: AbortSignal,
): Promise<RegradedSteps> {
  const steps: StepRegrade[] = [];
  const reached: StepVerdict[] = [];
  const done = left.trial.steps ?? [];
  for (const [index, step] of each.entries()) {
    const old = done[index];
    const before = old?.reward ?? null;
    const [previous, last] = [each[index - 1], reached.at(-1)];
    // Whether it would be begun is open as long as the one before has no verdict.
    const isOpen = last?.reward === null;
    if (reached.length < index || (previous !== undefined && !isOpen && !goesOn(previous, last))) {
      if (old === undefined) break;
      steps.push({ name: old.name, before, after: null, rewards: {}, error: null });
      continue;
    }
    const end = old?.end ?? (index === done.length ? left.unjudged : null);
    if (end === null && isOpen) break;
    const judged = await judgeOne(left, step, index, end, judge).catch((fault: unknown) => {
      signal.throwIfAborted();
      return CoachError.from(fault);
    });
    const error = judged instanceof CoachError ? judged : null;
    const { reward, rewards } = judged instanceof CoachError ? { reward: null, rewards: {} } : judged;
    steps.push({ name: step.name, before, after: reward, rewards: { ...rewards }, error: error?.toShape() ?? null });
    reached.push({ name: step.name, end: end ?? 'errored', reward, rewards: { ...rewards } });
  }
  const error = whyNone(steps, each.length);
  return { after: error === null ? rewardOfSteps(strategy, reached) : null, steps, error };
}

/** @throws CoachError why the step has no verdict */
async function judgeOne(
  { trial, patchOf }: LeftSteps,
  step: TaskStep,
  index: number,
  end: StepVerdict['end'] | null,
  judge: JudgeStep,
): ReturnType<JudgeStep> {
  const old = trial.steps?.[index];
  const cannot = (why: string) =>
    new CoachError('verifier.failed', why, { hint: 'Run the task again: codex-coach run <task>.' });
  if (end === null) throw cannot('it was never worked on to its end');
  if (old !== undefined && old.name !== step.name) throw cannot(`it was ${old.name} when the trial ran`);
  if (old?.reward === null) throw cannot('its agent came to nothing that could be judged');
  const patch = await patchOf(step.name);
  if (patch === null) throw cannot(`steps/${step.name}/diff.patch of ${trial.id} is gone`);
  return judge(step, patch, index + 1);
}

function whyNone(steps: readonly StepRegrade[], count: number): CoachError | null {
  const faults = steps.flatMap(({ name, error }) => (error === null ? [] : [{ name, error }]));
  const [first] = faults;
  if (first === undefined) return null;
  const named = faults.map(({ name, error }) => `${name}: ${error.message}`).join('; ');
  const message = `${faults.length} of ${count} steps can’t be judged again. ${named}${named.endsWith('.') ? '' : '.'}`;
  return CoachError.fromShape({ ...first.error, message });
}
