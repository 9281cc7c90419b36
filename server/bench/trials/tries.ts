import * as z from 'zod';
import { ErrorShape } from '../../../protocol/errors.ts';
import { StepVerdict } from '../../../protocol/runs.ts';
import { TrialEnd } from '../../../protocol/trialEnd.ts';
import { Usage } from '../../../protocol/usage.ts';

/** Exit codes that shells and sandboxes give for a program that did not start. */
export const notStarted: Readonly<Record<number, string>> = {
  126: 'a program that can’t be executed',
  127: 'a program that is not there',
};

/** How the agent's part ended. */
export const AgentEnd = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('finished') }),
  /** `meaning`: of its exit code, where the agent's adapter knows it. */
  z.object({ kind: z.literal('agentFailed'), exitCode: z.int(), meaning: z.string().optional() }),
  z.object({ kind: z.literal('timedOut') }),
  z.object({ kind: z.literal('budgetSpent'), tokens: z.number() }),
  z.object({ kind: z.literal('diskSpent') }),
  z.object({ kind: z.literal('stalled'), idleMs: z.number(), waitedFor: z.string().default('') }),
]);
export type AgentEnd = z.infer<typeof AgentEnd>;

/** What an agent's part came to. The change itself is `diff.patch` of the trial. */
export const AgentWork = z.object({
  end: AgentEnd,
  usage: Usage,
  /** False when the agent worked, or tried to, without one reply of its model. */
  heardModel: z.boolean(),
  sessionIds: z.array(z.string()),
  /** What the replay found wrong; empty without a replay. */
  mismatches: z.array(z.string()),
});
export type AgentWork = z.infer<typeof AgentWork>;

/** A step that was worked on and judged. */
export const DoneStep = z.object({
  verdict: StepVerdict,
  work: AgentWork,
  costUsd: z.number().nullable(),
  agentMs: z.number(),
});
export type DoneStep = z.infer<typeof DoneStep>;

/** The sandbox in which an agent works, as a later server needs it. */
export const AgentPlace = z.object({
  executor: z.string(),
  sandbox: z.string(),
  /** The executor's own id of it; null while it is being made. */
  sandboxId: z.string().nullable(),
  /** Scratch directory with the socket that leads to the model; also says who owns the sandbox. */
  scratch: z.string(),
  /** False with a replay: where in its recording it stands is known to its server alone. */
  canBeAdopted: z.boolean(),
});
export type AgentPlace = z.infer<typeof AgentPlace>;

/**
 * One time that a trial is begun. Each field is written before the step that it tells of: after any crash it says what may
 * have happened.
 */
export const Try = z.object({
  trialId: z.string(),
  /** 1-based. */
  number: z.int().min(1),
  startedAt: z.iso.datetime(),
  place: AgentPlace.nullable(),
  /** The agent is about to start. */
  agentAt: z.iso.datetime().nullable(),
  /** It is known to have started. */
  agentStarted: z.boolean(),
  work: AgentWork.nullable(),
  /** Of a task in steps, those that are over; the fields above tell of the one after them. */
  steps: z.array(DoneStep).default([]),
  endedAt: z.iso.datetime().nullable(),
  end: TrialEnd.nullable(),
  error: ErrorShape.nullable(),
});
export type Try = z.infer<typeof Try>;

/** The next try of a trial goes on where the last one came to. */
export function newTry(trialId: string, number: number, startedAt: string, last: Try | null): Try {
  return {
    ...{ trialId, number, startedAt, work: last?.work ?? null, steps: last?.steps ?? [] },
    ...{ place: null, agentAt: null, agentStarted: false, endedAt: null, end: null, error: null },
  };
}

/** Names a try's sandboxes apart from those of the trial's other tries, which may be on their way out. */
export function tryKey({ trialId, number }: Pick<Try, 'trialId' | 'number'>): string {
  return number === 1 ? trialId : `${trialId}~${number}`;
}
