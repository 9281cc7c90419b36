import * as z from 'zod';
import { ErrorShape } from './errors.ts';
import { Cost, Usage } from './usage.ts';

/** A question about a change with the answer met or unmet. */
export const Criterion = z.object({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be lower-case letters, digits and dashes, at most 64')
    .describe('Name of the criterion: lower-case letters, digits and dashes.'),
  text: z
    .string()
    .trim()
    .min(1)
    .max(2000)
    .describe('What must hold of the change, as one sentence that is met or unmet.'),
  weight: z
    .number()
    .positive()
    .max(1000)
    .default(1)
    .describe('Its share of the rubric, beside those of the other criteria.'),
});
export type Criterion = z.infer<typeof Criterion>;

/** Shares of the parts in the reward; their sum is taken for the whole. A part of weight 0 is told and counts nothing. */
export const ScoreWeights = z.object({
  tests: z.number().min(0).max(1000).default(0).describe('Share of the tests in the reward.'),
  rubric: z.number().min(0).max(1000).default(0).describe('Share of the criteria in the reward.'),
  diff: z
    .number()
    .min(0)
    .max(1000)
    .default(0)
    .describe('Share of the likeness of the changed lines to the reference, in the reward.'),
});
export type ScoreWeights = z.infer<typeof ScoreWeights>;

/** One answer of the judge. A void one counts for nothing, and `void` says why. */
export const JudgeVote = z.object({
  verdict: z.enum(['met', 'unmet']).nullable(),
  /** What the judge quoted of the change. */
  evidence: z.string(),
  void: z.string().nullable(),
});
export type JudgeVote = z.infer<typeof JudgeVote>;

export const CriterionVerdict = Criterion.extend({
  /** What more than half of the votes that were asked for say; null when they say nothing together. */
  verdict: z.enum(['met', 'unmet']).nullable(),
  /** Share of the valid votes that say the same, in (0,1]; null without any. */
  agreement: z.number().nullable(),
  votes: z.array(JudgeVote),
});
export type CriterionVerdict = z.infer<typeof CriterionVerdict>;

export const RubricVerdict = z.object({
  /** The judge as it was named: `openai/gpt-5.5`, `replay:<place>`; null when none was set. */
  judge: z.string().nullable(),
  votes: z.int(),
  /** Weighted share of the criteria that are met, in [0,1]; null when there is none, and `error` says why. */
  share: z.number().min(0).max(1).nullable(),
  criteria: z.array(CriterionVerdict),
  /** Mean agreement over the criteria. */
  agreement: z.number().nullable(),
  /** What the judge was not shown, in words: parts of a change that was too long. */
  leftOut: z.array(z.string()),
  error: ErrorShape.nullable(),
  /** Of the judge alone, over all that it was asked about this trial. */
  usage: Usage,
  cost: Cost,
});
export type RubricVerdict = z.infer<typeof RubricVerdict>;

/** The agent's change beside the reference solution. */
export const DiffComparison = z.object({
  /** Files that only the agent, only the reference, and both changed. */
  files: z.object({ both: z.int(), agent: z.int(), reference: z.int() }),
  hunks: z.object({ agent: z.int(), reference: z.int() }),
  /** Lines added and removed. */
  lines: z.object({ agent: z.int(), reference: z.int(), both: z.int() }),
  /** Dice coefficient of the changed lines, in [0,1]: 1 when both change the same lines. */
  similarity: z.number().min(0).max(1),
  /** Whether the agent's change applies to the start of the task. */
  applies: z.boolean(),
});
export type DiffComparison = z.infer<typeof DiffComparison>;

/** What a reward is made of. */
export const Score = z.object({
  weights: ScoreWeights,
  /** The tests' or the script's own reward; null where the task has none. */
  tests: z.number().min(0).max(1).nullable(),
  /** Null where the task has no rubric. */
  rubric: RubricVerdict.nullable(),
  /** Null where the task has no reference solution. */
  diff: DiffComparison.nullable(),
});
export type Score = z.infer<typeof Score>;

/** How a criterion was judged before and is now; null stands for no verdict, or for a criterion that was not there. */
export const CriterionFlip = z.object({
  id: z.string(),
  text: z.string(),
  before: z.enum(['met', 'unmet']).nullable(),
  after: z.enum(['met', 'unmet']).nullable(),
});
export type CriterionFlip = z.infer<typeof CriterionFlip>;

/** Parameters of every request that has a rubric judged. */
export const JudgeParams = {
  judge: z
    .string()
    .optional()
    .describe('Judge of rubrics: openai/<model>, anthropic/<model>, replay:<recorded answers> or none'),
  votes: z.coerce.number().int().min(1).max(15).optional().describe('Answers per criterion, an odd number'),
};
