import * as z from 'zod';
import { ProofBasis } from './tasks.ts';
import { TrialEnd } from './trialEnd.ts';
import { Cost } from './usage.ts';

/** What a mean says about its agent, not about others: with 95 % confidence between `low` and `high`. */
export const RewardEstimate = z.object({
  mean: z.number(),
  low: z.number(),
  high: z.number(),
  tasks: z.int(),
  verdicts: z.int(),
});

export const PassRate = z.object({
  k: z.int(),
  /** Chance that at least one of k attempts solves a task, and that all of them do. */
  passAtK: z.number(),
  passHatK: z.number(),
  /** Tasks with at least k verdicts. */
  tasks: z.int(),
});

export const AgentFigures = z.object({
  /** Names the run too where the same agent stands in several: `oracle 05:41`. */
  label: z.string(),
  /** What of the label names the run. */
  runName: z.string().nullable(),
  runId: z.string(),
  agentId: z.string(),
  model: z.string().nullable(),
  version: z.string().nullable(),
  /** The reference solution and the no-op: they test the tasks, not an agent. */
  isControl: z.boolean(),
  isReplay: z.boolean(),
  trials: z.int(),
  verdicts: z.int(),
  /** How many of the verdicts are those of another agent here, which reuse took over: the same evidence seen twice. */
  shared: z.array(z.object({ with: z.string(), verdicts: z.int() })),
  /** Null when no trial reached a verdict. */
  reward: RewardEstimate.nullable(),
  passRates: z.array(PassRate),
  /** Medians of the trials that tell, milliseconds and tokens. */
  medianMs: z.number().nullable(),
  medianTokens: z.number().nullable(),
  /** Total divided by trials. */
  costPerTrial: Cost,
  /** No other agent is both cheaper and better; null where cost or reward is not known. */
  isOnFront: z.boolean().nullable(),
  /** How many trials ended in each way; `verified` ones only where tests failed. */
  failures: z.partialRecord(TrialEnd, z.int()),
});
export type AgentFigures = z.infer<typeof AgentFigures>;

/** How many of its verdicts stand under another agent here as well. */
export function sharedVerdicts({ shared }: Pick<AgentFigures, 'shared'>): number {
  return shared.reduce((sum, { verdicts }) => sum + verdicts, 0);
}

/** Two agents on the tasks that both have verdicts of; the first has the higher mean. A trial that both share counts once. */
export const PairVerdict = z.object({
  first: z.string(),
  second: z.string(),
  tasks: z.int(),
  /** Tasks on which the first did better, worse, equally well. */
  better: z.int(),
  worse: z.int(),
  equal: z.int(),
  difference: z.number(),
  low: z.number(),
  high: z.number(),
  /** Adjusted by Holm for the number of pairs shown. */
  pValue: z.number(),
  test: z.enum(['mcnemar', 'permutation']),
  isEnough: z.boolean(),
  /** Further tasks of this kind that would probably settle it; null when no difference was seen. */
  moreTasks: z.int().nullable(),
});
export type PairVerdict = z.infer<typeof PairVerdict>;

export const ComparedTask = z.object({
  task: z.string(),
  proven: z.boolean(),
  basis: ProofBasis.default('tests'),
  /** One per agent, in the order of the agents: rewards of its attempts, null without a verdict. */
  attempts: z.array(
    z.array(
      z.object({
        trialId: z.string(),
        reward: z.number().nullable(),
        end: TrialEnd.nullable(),
        /** Label of the agent whose verdict this is: it was reused, and stands under that one as well. */
        sharedWith: z.string().optional(),
      }),
    ),
  ),
});
export type ComparedTask = z.infer<typeof ComparedTask>;

/** Agents × tasks: the figures, and what they prove. */
export const Comparison = z.object({
  /** Best first, controls last. */
  agents: z.array(AgentFigures),
  /** The best agent against each of the others. */
  pairs: z.array(PairVerdict),
  /** Those that agents disagree on the most first. */
  tasks: z.array(ComparedTask),
  /** What it comes to, in a few sentences. */
  summary: z.array(z.string()),
});
export type Comparison = z.infer<typeof Comparison>;
