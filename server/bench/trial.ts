import { CoachError, type ErrorCode, type ErrorShape } from '../../protocol/errors.ts';
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
import { type AdoptedAgent, type AgentJournal, runAgentPhase } from './agentPhase.ts';
import { judgeChange } from './judgeChange.ts';
import type { AgentLimits } from './limits.ts';
import type { TrialFiles } from './trialFiles.ts';
import type { AgentEnd, AgentWork } from './tries.ts';

export interface Trial {
  readonly id: string;
  readonly task: PreparedTask;
  readonly agent: Agent;
  readonly choice: AgentChoice;
  readonly label: string;
  readonly limits: RunLimits;
  /** Names this try's sandboxes. */
  readonly key: string;
  readonly from: TrialStart;
}

/** Where a try begins: at the start, with an agent that an earlier server left at work, or with work that is only to be judged. */
export type TrialStart =
  | { readonly kind: 'start' }
  | { readonly kind: 'adopt'; readonly agent: AdoptedAgent }
  | { readonly kind: 'judge'; readonly work: AgentWork };

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
  /** What a trial's agent used since then. `since`: ISO time */
  recorded(trialId: string, since: string): RecordedWork;
  cost(sessionIds: readonly string[]): Cost;
  /** The trajectory in ATIF, or null when nothing was recorded. */
  trajectory(sessionIds: readonly string[]): object | null;
}

export interface RecordedWork {
  readonly usage: Usage;
  /** Where the price is known. */
  readonly costUsd: number;
  readonly sessionIds: readonly string[];
}

/** Hears how a trial goes on. */
export interface TrialObserver extends Omit<AgentJournal, 'onWork'> {
  onPhase(phase: TrialPhase): void;
  onAgentEvent(event: AgentEvent): void;
  onUsage(usage: Usage): void;
  onAgentDone(diff: TreeDiff, work: AgentWork): void;
}

/** How a trial ended. What an agent left is judged however its part ended, as long as a model was heard. */
export type TrialOutcome =
  | ({ readonly kind: 'verified' } & Judged)
  | ({ readonly kind: 'agentFailed'; readonly exitCode: number } & Judged)
  | ({ readonly kind: 'timedOut' } & Judged)
  | ({ readonly kind: 'budgetSpent'; readonly tokens: number } & Judged)
  | ({ readonly kind: 'stalled'; readonly idleMs: number } & Judged)
  | { readonly kind: 'cancelled' }
  /** Its server ended, and nothing of it can be gone on with. */
  | { readonly kind: 'lost' }
  | {
      readonly kind: 'errored';
      readonly error: CoachError;
      /** Whether the same would fail in the same way once more. */
      readonly isFinal: boolean;
    };

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

/** Faults of the question rather than of the machine. */
const finalFaults: ReadonlySet<ErrorCode> = new Set([
  ...(['input.invalid', 'disk.readOnly', 'disk.full', 'replay.mismatch', 'session.missing'] as const),
  ...(['task.missing', 'task.invalid', 'task.unproven', 'agent.unknown', 'agent.missing', 'agent.noKey'] as const),
]);

/** One try of one agent on one task. Never throws: faults are an outcome, and never a reward. */
export async function runTrial(
  trial: Trial,
  files: TrialFiles,
  observer: TrialObserver,
  deps: TrialDeps,
  signal: AbortSignal,
): Promise<TrialOutcome> {
  let isBuilt = false;
  try {
    signal.throwIfAborted();
    observer.onPhase('building');
    const environment = await deps.environment(trial.task);
    isBuilt = true;
    return await attempt(trial, environment, files, observer, deps, signal);
  } catch (error) {
    if (signal.aborted) return { kind: 'cancelled' };
    const coach = CoachError.from(error);
    deps.log.error(`Trial ${trial.id} failed: ${coach.message}`, { error });
    // Environments are built once per run.
    return { kind: 'errored', error: coach, isFinal: !isBuilt || finalFaults.has(coach.code) };
  }
}

async function attempt(
  trial: Trial,
  environment: PreparedEnvironment,
  files: TrialFiles,
  observer: TrialObserver,
  deps: TrialDeps,
  signal: AbortSignal,
): Promise<TrialOutcome> {
  const { work, patch } =
    trial.from.kind === 'judge'
      ? { work: trial.from.work, patch: await files.readPatch() }
      : await letAgentWork(trial, environment, files, observer, deps, signal);
  if (work.mismatches.length > 0) throw replayMismatch(work.mismatches);
  const known = { usage: work.usage, cost: costOf(trial, work, deps), sessionIds: work.sessionIds };
  if (!isJudged(trial, work)) return toOutcome(work.end, null, { ...known, tests: [] });
  observer.onPhase('verifying');
  const { run, verdict } = await judgeChange(trial.key, trial.task, patch, { ...deps, environment }, signal);
  await files.writeVerifier(run);
  return toOutcome(work.end, verdict.reward, { ...known, tests: verdict.tests });
}

async function letAgentWork(
  trial: Trial,
  environment: PreparedEnvironment,
  files: TrialFiles,
  observer: TrialObserver,
  deps: TrialDeps,
  signal: AbortSignal,
): Promise<{ work: AgentWork; patch: Buffer }> {
  if (trial.agent.package !== null) await deps.install(trial.agent, signal);
  signal.throwIfAborted();
  observer.onPhase('agent');
  const adopted = trial.from.kind === 'adopt' ? trial.from.agent : null;
  return runAgentPhase(
    {
      ...trial,
      trialId: trial.id,
      environment,
      adopted,
      logs: await files.agentLogs(adopted !== null),
      journal: {
        onPlace: place => observer.onPlace(place),
        onAgentStarts: () => observer.onAgentStarts(),
        onAgentStarted: () => observer.onAgentStarted(),
        async onWork(work, diff) {
          await files.writeAgent(diff.patch, deps.traces.trajectory(work.sessionIds), work.sessionIds);
          observer.onAgentDone(diff, work);
        },
      },
      onEvent: event => observer.onAgentEvent(event),
      onUsage: usage => observer.onUsage(usage),
    },
    deps,
    signal,
  );
}

/** An agent that never got a reply did not fail at the task: there is no verdict then. */
function isJudged({ agent }: Trial, { end, heardModel }: AgentWork): boolean {
  if (end.kind === 'stalled') return false;
  const needsModel = agent.kind === 'program' && agent.dialect !== null;
  return end.kind === 'finished' || heardModel || !needsModel;
}

function toOutcome(end: AgentEnd, reward: number | null, work: TrialWork): TrialOutcome {
  if (end.kind === 'finished') return { kind: 'verified', reward, work };
  return { ...end, reward, work };
}

function costOf({ agent, choice }: Trial, { sessionIds }: AgentWork, deps: TrialDeps): Cost {
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
  if (outcome.kind === 'cancelled' || outcome.kind === 'lost') return { end: outcome.kind, reward, error: null };
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
function endError(outcome: Exclude<TrialOutcome, { kind: 'cancelled' | 'lost' | 'errored' }>): ErrorShape | null {
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
