import { CoachError, type ErrorShape } from '../../../protocol/errors.ts';
import type { Score, ScoreWeights } from '../../../protocol/rubric.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { isTestName } from '../../tasks/testing/testFiles.ts';
import type { JudgeChoice } from '../rubric/judgeChoice.ts';
import { type JudgeDeps, judgeRubric } from '../rubric/judgeRubric.ts';
import type { JudgeRecording } from '../rubric/recordedAnswers.ts';
import { compareDiffs } from './diffComparison.ts';
import { testsOnly, weightedReward } from './score.ts';

export interface ChangeToScore {
  readonly trialId: string;
  readonly task: PreparedTask;
  readonly patch: Buffer;
  /** The agent's last words, if it had any. */
  readonly message: string | null;
  /** What the tests or the script gave, in [0,1]; null where nothing of the kind ran. */
  readonly tests: number | null;
  /** Whether the change applies to the start of the task. */
  readonly applies: boolean;
  readonly judge: JudgeChoice;
  readonly votes: number;
}

export interface ScoredChange {
  /** In [0,1]; null when a part that weighs something is missing, and `error` says why. */
  readonly reward: number | null;
  readonly score: Score;
  readonly error: ErrorShape | null;
  readonly recording: JudgeRecording | null;
}

/** Puts the parts of a score together: what the tests gave, what a judge says of the rubric, and how near the reference it is. */
export async function scoreChange(change: ChangeToScore, deps: JudgeDeps, signal: AbortSignal): Promise<ScoredChange> {
  const { task, patch, message, judge, votes, trialId, tests, applies } = change;
  const criteria = task.rubric?.criteria ?? [];
  const work = { instruction: task.instruction, patch: patch.toString(), message };
  const judged =
    criteria.length === 0 ? null : await judgeRubric({ trialId, criteria, work, judge, votes }, deps, signal);
  const score: Score = {
    weights: weightsOf(task),
    tests,
    rubric: judged?.verdict ?? null,
    diff: task.solutionPatch === null ? null : compareDiffs(patch, task.solutionPatch, applies, heldBack(task)),
  };
  const reward = weightedReward(score);
  const error = reward === null ? missingPart(score, task) : null;
  return { reward, score, error, recording: judged?.recording ?? null };
}

/** The declared weights; a task that has no tests is scored without them, whatever is declared. */
function weightsOf({ rubric, verifier }: PreparedTask): ScoreWeights {
  if (verifier.kind !== 'rubric') return rubric?.weights ?? testsOnly;
  return { ...(rubric?.weights ?? { diff: 0 }), tests: 0, rubric: rubric?.weights.rubric || 1 };
}

/** What a reference solution lacks because it is part of the verifier. */
function heldBack({ verifier }: PreparedTask): (path: string) => boolean {
  return verifier.kind === 'tests' ? isTestName : () => false;
}

function missingPart({ weights, tests, rubric, diff }: Score, task: PreparedTask): ErrorShape {
  const say = (message: string, hint: string) => new CoachError('task.invalid', message, { hint }).toShape();
  if (weights.tests > 0 && tests === null) {
    return say(
      `There is no verdict of the tests of ${task.name}.`,
      'Judge the trial again with its tests: runs regrade.',
    );
  }
  if (weights.rubric > 0) {
    if (rubric === null)
      return say(`${task.name} is judged by a rubric, and has none.`, 'Add criteria to its rubric.toml.');
    if (rubric.error !== null) return rubric.error;
  }
  if (weights.diff > 0 && diff === null) {
    return say(
      `${task.name} has no reference solution to compare with.`,
      'Set the weight of diff in its rubric.toml to 0.',
    );
  }
  return say(`The weights of ${task.name} give nothing to score.`, 'Mend its rubric.toml.');
}
