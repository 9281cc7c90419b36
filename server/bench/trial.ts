import { CoachError, type ErrorCode } from '../../protocol/errors.ts';
import type { Score } from '../../protocol/rubric.ts';
import type { AgentChoice, RunLimits, TestVerdict, TrialPhase } from '../../protocol/runs.ts';
import { type Cost, noCost, type Usage } from '../../protocol/usage.ts';
import type { Agent, AgentEvent } from '../agents/agent.ts';
import type { InstalledAgent } from '../agents/install.ts';
import { type Clock, toIso } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { PreparedEnvironment } from '../executors/executor.ts';
import type { TreeDiff } from '../git/tree.ts';
import type { ProxyService } from '../proxy/proxy.ts';
import type { Replay } from '../proxy/replay/replayServer.ts';
import type { PreparedTask, TaskSteps } from '../tasks/preparedTask.ts';
import { type AdoptedAgent, type AgentJournal, type AgentPhase, runAgentPhase } from './agentPhase.ts';
import type { DeniedHost } from './integrity/flags.ts';
import { judgeChange } from './judgeChange.ts';
import type { Patience } from './limits.ts';
import { finalMessage } from './rubric/finalMessage.ts';
import { type JudgeSettings, parseJudge } from './rubric/judgeChoice.ts';
import type { JudgeDeps } from './rubric/judgeRubric.ts';
import type { RecordedExchange } from './rubric/recordedAnswers.ts';
import { sumUsage } from './score.ts';
import { type ScoredChange, scoreChange } from './scoreChange.ts';
import { rewardOfSteps, runSteps } from './steps.ts';
import type { TrialFiles } from './trialFiles.ts';
import type { AgentEnd, AgentWork, DoneStep } from './tries.ts';

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
  /** Of a task in steps, those that earlier servers and tries have finished. */
  readonly done: readonly DoneStep[];
  /** What is done in the sandbox before an agent works in it. */
  readonly begin?: AgentPhase['begin'];
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
  /** Who judges rubrics. */
  readonly judge: JudgeSettings;
  /** Before a judge that failed is asked again. */
  readonly judgePauseMs: number;
  readonly workspaces: string;
  readonly patience: Patience;
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
  /** What was asked and answered in a session. @throws CoachError `session.missing` */
  exchanges(sessionId: string): readonly RecordedExchange[];
  /** The trajectory in ATIF, or null when nothing was recorded. */
  trajectory(sessionIds: readonly string[]): object | null;
  /** Hosts that a trial's agent was kept from. */
  denied(trialId: string): readonly DeniedHost[];
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
  /** A step is over. `done`: all that are. */
  onStep(done: readonly DoneStep[]): void;
}

/** How a trial ended. What an agent left is judged however its part ended, as long as a model was heard. */
export type TrialOutcome =
  | ({ readonly kind: 'verified' } & Judged)
  | ({ readonly kind: 'agentFailed'; readonly exitCode: number; readonly meaning?: string | undefined } & Judged)
  | ({ readonly kind: 'timedOut' } & Judged)
  | ({ readonly kind: 'budgetSpent'; readonly tokens: number } & Judged)
  | ({ readonly kind: 'diskSpent' } & Judged)
  | ({ readonly kind: 'stalled'; readonly idleMs: number; readonly waitedFor: string } & Judged)
  | { readonly kind: 'cancelled' }
  /** Its server ended, and nothing of it can be gone on with. */
  | { readonly kind: 'lost' }
  | {
      readonly kind: 'errored';
      readonly error: CoachError;
      /** Whether the same would fail in the same way once more. */
      readonly isFinal: boolean;
      /** What there is all the same, such as the tests' part where a judge failed. */
      readonly work?: TrialWork;
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
  /** What the reward is made of; absent where nothing was judged. */
  readonly score?: Score;
}

/** Faults of the question rather than of the machine. */
const finalFaults: ReadonlySet<ErrorCode> = new Set([
  ...(['input.invalid', 'disk.readOnly', 'disk.full', 'replay.mismatch', 'session.missing'] as const),
  ...([
    'task.missing',
    'task.invalid',
    'task.unproven',
    'docker.imageChanged',
    'agent.unknown',
    'agent.missing',
    'agent.noKey',
  ] as const),
  'judge.missing',
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
    const isDiskFull = signal.reason instanceof CoachError && signal.reason.code === 'disk.full';
    if (signal.aborted && !isDiskFull) return { kind: 'cancelled' };
    const coach = CoachError.from(isDiskFull ? signal.reason : error);
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
  const { steps } = trial.task;
  if (steps !== undefined) return attemptSteps(trial, steps, environment, files, observer, deps, signal);
  const { work, patch, reward, tests } = await workAndJudge(trial, environment, files, observer, deps, signal);
  const cost = costOf(trial, work.sessionIds, deps);
  const known = { usage: work.usage, cost, sessionIds: work.sessionIds, tests };
  if (patch === null) return toOutcome(work.end, null, known);
  const scored = await scoreTrial(trial, patch, reward, files, deps, signal);
  const whole = { ...known, score: scored.score };
  if (scored.error === null) return toOutcome(work.end, scored.reward, whole);
  const error = CoachError.fromShape(scored.error);
  return { kind: 'errored', error, isFinal: finalFaults.has(error.code), work: whole };
}

async function scoreTrial(
  { id, task, agent }: Trial,
  patch: Buffer,
  tests: number | null,
  files: TrialFiles,
  deps: TrialDeps,
  signal: AbortSignal,
): Promise<ScoredChange> {
  const message = task.rubric === null ? null : await finalMessage(files.directory, agent);
  const { judge, votes } = deps.judge;
  const change = { trialId: id, task, patch, message, tests, applies: true, judge: parseJudge(judge), votes };
  const { proxy, traces, keys, judgePauseMs } = deps;
  const scored = await scoreChange(
    change,
    judgeDeps({ openLaunch: spec => proxy.open(spec), traces, keys, pauseMs: judgePauseMs }),
    signal,
  );
  if (scored.recording !== null) await files.writeJudge(scored.recording);
  return scored;
}

/** What a judge needs, by what a trial has. */
export function judgeDeps({
  traces,
  ...rest
}: Pick<JudgeDeps, 'openLaunch' | 'keys' | 'pauseMs'> & { readonly traces: TrialTraces }): JudgeDeps {
  return {
    ...rest,
    exchangesOf: sessionId => traces.exchanges(sessionId),
    spent(judgeId) {
      const { usage, sessionIds } = traces.recorded(judgeId, toIso(0));
      return { usage, cost: traces.cost(sessionIds) };
    },
  };
}

/** Each step has files of its own below `steps/`; the trial's own tell of all of them together. */
async function attemptSteps(
  trial: Trial,
  steps: TaskSteps,
  environment: PreparedEnvironment,
  files: TrialFiles,
  observer: TrialObserver,
  deps: TrialDeps,
  signal: AbortSignal,
): Promise<TrialOutcome> {
  const sessionsOf = (done: readonly DoneStep[]) => [...new Set(done.flatMap(({ work }) => work.sessionIds))];
  const done = await runSteps(
    trial,
    steps,
    async (part, step) => {
      const startedAt = part.from.kind === 'adopt' ? part.from.agent.startedAt : deps.clock.now();
      let agentMs = 0;
      const own = await files.step(step.name);
      const judged = await workAndJudge(part, environment, own, observer, deps, signal, () => {
        agentMs = deps.clock.now() - startedAt;
      });
      await own.close();
      const { work, reward, rewards } = judged;
      const end = work.end.kind === 'finished' ? 'verified' : work.end.kind;
      const { amountUsd } = costOf(trial, work.sessionIds, deps);
      return { verdict: { name: step.name, end, reward, rewards }, work, costUsd: amountUsd, agentMs };
    },
    async step => (await files.step(step.name)).readPatch(),
    async soFar => {
      const last = await files.step(soFar.at(-1)?.verdict.name ?? '');
      const sessionIds = sessionsOf(soFar);
      await files.writeAgent(await last.readPatch(), deps.traces.trajectory(sessionIds), sessionIds);
      observer.onStep(soFar);
    },
  );
  const sessionIds = sessionsOf(done);
  const usage = sumUsage(done.map(({ work }) => work.usage));
  const reward = rewardOfSteps(
    steps.strategy,
    done.map(({ verdict }) => verdict),
  );
  const end = done.at(-1)?.work.end ?? { kind: 'finished' };
  return toOutcome(end, reward, { usage, cost: costOf(trial, sessionIds, deps), sessionIds, tests: [] });
}

async function workAndJudge(
  trial: Trial,
  environment: PreparedEnvironment,
  files: TrialFiles,
  observer: TrialObserver,
  deps: TrialDeps,
  signal: AbortSignal,
  onWorked: () => void = () => undefined,
): Promise<{
  work: AgentWork;
  /** Null when it is not to be judged. */
  patch: Buffer | null;
  reward: number | null;
  rewards: Readonly<Record<string, number>>;
  tests: readonly TestVerdict[];
}> {
  const { work, patch } =
    trial.from.kind === 'judge'
      ? { work: trial.from.work, patch: await files.readPatch() }
      : await letAgentWork(trial, environment, files, observer, deps, signal);
  onWorked();
  if (work.mismatches.length > 0) throw replayMismatch(work.mismatches);
  if (!isJudged(trial, work)) return { work, patch: null, reward: null, rewards: {}, tests: [] };
  observer.onPhase('verifying');
  if (trial.task.verifier.kind === 'rubric') return { work, patch, reward: null, rewards: {}, tests: [] };
  const { run, verdict } = await judgeChange(trial.key, trial.task, patch, { ...deps, environment }, signal);
  await files.writeVerifier(run);
  return { work, patch, reward: verdict.reward, rewards: run.rewards ?? {}, tests: verdict.tests };
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

function costOf({ agent, choice }: Trial, sessionIds: readonly string[], deps: TrialDeps): Cost {
  if (agent.kind !== 'program') return noCost;
  if (choice.replay !== null) return { amountUsd: null, kind: 'replay' };
  return deps.traces.cost(sessionIds);
}

function replayMismatch(mismatches: readonly string[]): CoachError {
  return new CoachError('replay.mismatch', `The agent did something else than what was recorded: ${mismatches[0]}`, {
    hint: 'A replay only fits the agent version, task and sandbox that it was recorded with.',
  });
}
