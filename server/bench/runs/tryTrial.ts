import type { TrialSummary } from '../../../protocol/runs.ts';
import { type Clock, delay, toIso } from '../../base/clock.ts';
import { makeScratch, removeScratch } from '../../base/owner.ts';
import type { EnvironmentSpec, Executor } from '../../executors/executor.ts';
import type { TrialOutcome, TrialStart } from '../trials/trial.ts';
import { newTry, type Try } from '../trials/tries.ts';
import type { RunStore } from './runStore.ts';
import type { TrialRecord } from './trialRecord.ts';

const longestPauseMs = 60_000;

export interface TriesDeps {
  readonly store: Pick<RunStore, 'tries'>;
  readonly clock: Clock;
  readonly executor: Executor;
  /** After failures of the machine at most so many more tries. */
  readonly retries: number;
  /** Pause before the second try; doubled for each one more. */
  readonly pauseMs: number;
}

/**
 * Tries a trial until it has ended otherwise than by a failure of the machine, or has no tries left. What an earlier
 * server has begun is gone on with: an agent at work is not started again, and work that is there is only judged.
 */
export async function tryTrial(
  trial: TrialSummary,
  environment: EnvironmentSpec,
  record: TrialRecord,
  once: (value: Try, from: TrialStart) => Promise<TrialOutcome>,
  deps: TriesDeps,
  signal: AbortSignal,
): Promise<TrialOutcome> {
  let last = deps.store.tries(trial.id).at(-1) ?? null;
  // A trial that was over had used up its tries; whoever resumes it grants as many again.
  const first = trial.phase === 'done' ? (last?.number ?? 0) + 1 : 1;
  for (;;) {
    const next = await nextTry(trial.id, last, environment, deps, signal);
    const value = next?.value ?? last;
    if (value === null) throw new Error(`Trial ${trial.id} has no try.`);
    record.begin(value, deps.executor.id);
    const outcome: TrialOutcome = next === null ? { kind: 'lost' } : await once(value, next.from);
    const hasFailed = outcome.kind === 'lost' || (outcome.kind === 'errored' && !outcome.isFinal);
    if (!hasFailed || value.number >= first + deps.retries) return outcome;
    const pauseMs = outcome.kind === 'lost' ? 0 : Math.min(longestPauseMs, deps.pauseMs * 2 ** (value.number - first));
    record.failTry(outcome, pauseMs);
    await delay(pauseMs, signal).catch(() => undefined);
    last = deps.store.tries(trial.id).at(-1) ?? null;
  }
}

/** The try to make after the last one, or that one itself where it can go on; null when it was cut off for good. */
async function nextTry(
  trialId: string,
  last: Try | null,
  environment: EnvironmentSpec,
  { executor, clock }: TriesDeps,
  signal: AbortSignal,
): Promise<{ value: Try; from: TrialStart } | null> {
  if (last === null) return { value: newTry(trialId, 1, toIso(clock.now()), null), from: { kind: 'start' } };
  if (last.endedAt !== null) {
    const value = newTry(trialId, last.number + 1, toIso(clock.now()), last);
    return { value, from: last.work === null ? { kind: 'start' } : { kind: 'judge', work: last.work } };
  }
  const { place, agentAt, agentStarted } = last;
  if (!isAdoptable(last, executor) || place === null || agentAt === null) return null;
  const sandbox = await executor.adopt?.(environment, place.sandbox, signal).catch(() => null);
  if (sandbox === null || sandbox === undefined) {
    await removeScratch(place.scratch);
    return null;
  }
  const agent = { sandbox, scratch: place.scratch, startedAt: Date.parse(agentAt), hasStarted: agentStarted };
  return { value: last, from: { kind: 'adopt', agent } };
}

/** Whether an earlier server may have left its agent at work, where another server can reach it. */
export function isAdoptable({ place, agentAt, work, endedAt }: Try, executor: Executor | undefined): boolean {
  if (endedAt !== null || work !== null || agentAt === null || !place?.canBeAdopted) return false;
  return executor?.adopt !== undefined && executor.id === place.executor;
}

/** Takes the sandbox of such a try over, so that nobody sweeps it. */
export function claim({ place }: Try): Promise<void> {
  return place === null ? Promise.resolve() : makeScratch(place.scratch);
}

/** Gives it up again: it may be swept from now on. */
export function giveUp({ place }: Try): Promise<void> {
  return place === null ? Promise.resolve() : removeScratch(place.scratch);
}
