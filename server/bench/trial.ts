import { CoachError, type ErrorShape } from '../../protocol/errors.ts';
import type { AgentChoice, RunLimits, TestVerdict, TrialPhase } from '../../protocol/runs.ts';
import type { TrialEnd } from '../../protocol/trialEnd.ts';
import { type Cost, noCost, type Usage } from '../../protocol/usage.ts';
import type { Agent, AgentEvent } from '../agents/agent.ts';
import type { InstalledAgent } from '../agents/install.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { PreparedEnvironment } from '../executors/executor.ts';
import type { TreeDiff } from '../git/tree.ts';
import type { ProxyService } from '../proxy/proxy.ts';
import type { Replay } from '../proxy/replay/replayServer.ts';
import type { PreparedTask } from '../tasks/preparedTask.ts';
import { type AgentEnd, type AgentOutcome, runAgentPhase } from './agentPhase.ts';
import { judgeChange } from './judgeChange.ts';
import type { AgentLimits } from './limits.ts';
import type { TrialFiles } from './trialFiles.ts';

export interface Trial {
  readonly id: string;
  readonly task: PreparedTask;
  readonly agent: Agent;
  readonly choice: AgentChoice;
  readonly label: string;
  readonly limits: RunLimits;
}

export interface TrialDeps {
  readonly proxy: Pick<ProxyService, 'open'>;
  /** Environments are built once per run; this waits for the one of a task. */
  environment(task: PreparedTask): Promise<PreparedEnvironment>;
  install(agent: Agent, signal: AbortSignal): Promise<InstalledAgent>;
  /** @throws CoachError when there is no such recording */
  startReplay(recording: string): Promise<Replay>;
  /** Real keys by the names of their variables; they go to the proxy and nowhere else. */
  readonly keys: Readonly<Record<string, string | undefined>>;
  readonly traces: TrialTraces;
  readonly workspaces: string;
  readonly patience: Pick<AgentLimits, 'unreachableMs' | 'idleMs'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Sandboxes on their way out: waited for before the run ends, not before the next trial starts. */
  onRemoval(removal: Promise<void>): void;
}

/** What the bench asks the trace store. */
export interface TrialTraces {
  cost(sessionIds: readonly string[]): Cost;
  /** The trajectory in ATIF, or null when nothing was recorded. */
  trajectory(sessionIds: readonly string[]): object | null;
}

/** Hears how a trial goes on. */
export interface TrialObserver {
  onPhase(phase: TrialPhase): void;
  onAgentEvent(event: AgentEvent): void;
  onUsage(usage: Usage): void;
  onAgentDone(diff: TreeDiff, usage: Usage): void;
}

/** How a trial ended. What an agent left is judged however its part ended, as long as a model was heard. */
export type TrialOutcome =
  | ({ readonly kind: 'verified' } & Judged)
  | ({ readonly kind: 'agentFailed'; readonly exitCode: number } & Judged)
  | ({ readonly kind: 'timedOut' } & Judged)
  | ({ readonly kind: 'budgetSpent'; readonly tokens: number } & Judged)
  | ({ readonly kind: 'stalled'; readonly idleMs: number } & Judged)
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'errored'; readonly error: CoachError };

interface Judged {
  /** Null when there is no verdict. */
  readonly reward: number | null;
  readonly work: TrialWork;
}

export interface TrialWork {
  readonly usage: Usage;
  readonly cost: Cost;
  readonly sessionIds: readonly string[];
  readonly tests: readonly TestVerdict[];
}

/** One agent, one task, one attempt. Never throws: faults are an outcome, and never a reward. */
export async function runTrial(
  trial: Trial,
  files: TrialFiles,
  observer: TrialObserver,
  deps: TrialDeps,
  signal: AbortSignal,
): Promise<TrialOutcome> {
  try {
    signal.throwIfAborted();
    return await attempt(trial, files, observer, deps, signal);
  } catch (error) {
    if (signal.aborted) return { kind: 'cancelled' };
    const coach = CoachError.from(error);
    deps.log.error(`Trial ${trial.id} failed: ${coach.message}`, { error });
    return { kind: 'errored', error: coach };
  }
}

async function attempt(
  trial: Trial,
  files: TrialFiles,
  observer: TrialObserver,
  deps: TrialDeps,
  signal: AbortSignal,
): Promise<TrialOutcome> {
  observer.onPhase('building');
  const environment = await deps.environment(trial.task);
  if (trial.agent.package !== null) await deps.install(trial.agent, signal);
  signal.throwIfAborted();
  observer.onPhase('agent');
  const outcome = await runAgentPhase(
    {
      ...trial,
      trialId: trial.id,
      environment,
      logs: files.agentLogs(),
      onEvent: event => observer.onAgentEvent(event),
      onUsage: usage => observer.onUsage(usage),
    },
    deps,
    signal,
  );
  await files.writeAgent(outcome.diff.patch, deps.traces.trajectory(outcome.sessionIds), outcome.sessionIds);
  observer.onAgentDone(outcome.diff, outcome.usage);
  if (outcome.mismatches.length > 0) throw replayMismatch(outcome.mismatches);
  const work = { usage: outcome.usage, cost: costOf(trial, outcome, deps), sessionIds: outcome.sessionIds };
  if (!isJudged(trial, outcome)) return toOutcome(outcome.end, null, { ...work, tests: [] });
  observer.onPhase('verifying');
  const { run, verdict } = await judgeChange(
    trial.id,
    trial.task,
    outcome.diff.patch,
    { ...deps, environment },
    signal,
  );
  await files.writeVerifier(run, trial.task.verifier.resultFormat);
  return toOutcome(outcome.end, verdict.reward, { ...work, tests: verdict.tests });
}

/** An agent that never got a reply did not fail at the task: there is no verdict then. */
function isJudged({ agent }: Trial, { end, heardModel }: AgentOutcome): boolean {
  if (end.kind === 'stalled') return false;
  const needsModel = agent.kind === 'program' && agent.dialect !== null;
  return end.kind === 'finished' || heardModel || !needsModel;
}

function toOutcome(end: AgentEnd, reward: number | null, work: TrialWork): TrialOutcome {
  if (end.kind === 'finished') return { kind: 'verified', reward, work };
  return { ...end, reward, work };
}

function costOf({ agent, choice }: Trial, { sessionIds }: AgentOutcome, deps: TrialDeps): Cost {
  if (agent.kind !== 'program') return noCost;
  if (choice.replay !== null) return { amountUsd: null, kind: 'replay' };
  return deps.traces.cost(sessionIds);
}

function replayMismatch(mismatches: readonly string[]): CoachError {
  return new CoachError('replay.mismatch', `The agent did something else than what was recorded: ${mismatches[0]}`, {
    hint: 'A replay only fits the agent version, task and sandbox that it was recorded with.',
  });
}

/** The outcome as the fields of a TrialSummary. */
export function toTrialFields(outcome: TrialOutcome): {
  end: TrialEnd;
  reward: number | null;
  error: ErrorShape | null;
  usage?: Usage;
  cost?: Cost;
  tests?: TestVerdict[];
  sessionId?: string | null;
} {
  const reward = 'reward' in outcome ? outcome.reward : null;
  if (outcome.kind === 'cancelled') return { end: outcome.kind, reward, error: null };
  if (outcome.kind === 'errored') return { end: outcome.kind, reward, error: outcome.error.toShape() };
  const { usage, cost, tests, sessionIds } = outcome.work;
  return {
    end: outcome.kind,
    reward,
    error: endError(outcome),
    usage,
    cost,
    tests: [...tests],
    sessionId: sessionIds[0] ?? null,
  };
}

/** Why an agent's part ended otherwise than by itself, in words. */
function endError(outcome: Exclude<TrialOutcome, { kind: 'cancelled' | 'errored' }>): ErrorShape | null {
  if (outcome.kind === 'stalled') {
    return {
      code: 'proxy.upstream',
      message: `The agent got no reply from its model for ${Math.round(outcome.idleMs / 1000)} s and was stopped.`,
      hint: 'Check that the model API can be reached, then run it again.',
    };
  }
  if (outcome.reward !== null) return null;
  const how = outcome.kind === 'agentFailed' ? `ended with exit code ${outcome.exitCode}` : 'was stopped at its limit';
  return {
    code: 'proxy.upstream',
    message: `The agent ${how} without one reply from its model.`,
    hint: 'Its own words are in agent/stdout.jsonl and agent/stderr.log of the trial.',
  };
}
