import type { ErrorShape } from '../../../protocol/errors.ts';
import type { Score } from '../../../protocol/rubric.ts';
import type { TestVerdict } from '../../../protocol/runs.ts';
import type { TrialEnd } from '../../../protocol/trialEnd.ts';
import type { Cost, Usage } from '../../../protocol/usage.ts';
import type { TrialOutcome, TrialWork } from '../trials/trial.ts';
import { notStarted } from '../trials/tries.ts';

/** The outcome as the fields of a TrialSummary. */
export function toTrialFields(outcome: TrialOutcome): {
  end: TrialEnd;
  reward: number | null;
  error: ErrorShape | null;
  usage?: Usage;
  cost?: Cost;
  tests?: TestVerdict[];
  score?: Score;
  sessionId?: string | null;
} {
  const reward = 'reward' in outcome ? outcome.reward : null;
  if (outcome.kind === 'cancelled' || outcome.kind === 'lost') return { end: outcome.kind, reward, error: null };
  if (outcome.kind === 'errored') {
    const error = outcome.error.toShape();
    return { end: outcome.kind, reward, error, ...(outcome.work === undefined ? {} : workFields(outcome.work)) };
  }
  return { end: outcome.kind, reward, error: endError(outcome), ...workFields(outcome.work) };
}

function workFields({ usage, cost, tests, score, sessionIds }: TrialWork) {
  return {
    usage,
    cost,
    tests: [...tests],
    ...(score === undefined ? {} : { score }),
    sessionId: sessionIds[0] ?? null,
  };
}

const unheard = 'without one reply from its model';

/** Why an agent's part ended otherwise than by itself, in words. */
function endError(outcome: Exclude<TrialOutcome, { kind: 'cancelled' | 'lost' | 'errored' }>): ErrorShape | null {
  if (outcome.kind === 'stalled') {
    return {
      code: 'proxy.upstream',
      message: `The agent was stopped after ${Math.round(outcome.idleMs / 1000)} s in which it waited for ${outcome.waitedFor || 'its model'}.`,
      hint: 'Its own words are in agent/stdout.jsonl and agent/stderr.log of the trial. Put right what it waited for, then run it again.',
    };
  }
  const hint = 'Its own words are in agent/stdout.jsonl and agent/stderr.log of the trial.';
  if (outcome.kind !== 'agentFailed') {
    if (outcome.reward !== null) return null;
    return { code: 'proxy.upstream', message: `The agent was stopped at its limit ${unheard}.`, hint };
  }
  const how = `ended with exit code ${outcome.exitCode}${outcome.meaning === undefined ? '' : ` (${outcome.meaning})`}`;
  if (outcome.reward !== null)
    return { code: 'agent.failed', message: `The agent ${how}. What it left was judged.`, hint };
  if (outcome.exitCode in notStarted) return { code: 'agent.failed', message: `The agent ${how}.`, hint };
  return { code: 'proxy.upstream', message: `The agent ${how} ${unheard}.`, hint };
}
