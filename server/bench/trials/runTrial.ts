import { CoachError, type ErrorCode } from '../../../protocol/errors.ts';
import type { TestVerdict } from '../../../protocol/runs.ts';
import { type Cost, noCost } from '../../../protocol/usage.ts';
import { toIso } from '../../base/clock.ts';
import type { PreparedEnvironment } from '../../executors/executor.ts';
import type { TaskSteps } from '../../tasks/preparedTask.ts';
import { finalMessage } from '../rubric/finalMessage.ts';
import { parseJudge } from '../rubric/judgeChoice.ts';
import type { JudgeDeps } from '../rubric/judgeRubric.ts';
import { rewardOfSteps, runSteps } from '../steps.ts';
import { layTests, TestsAhead } from '../verifier/hiddenTests.ts';
import { judgeChange } from '../verifier/judgeChange.ts';
import { sumUsage } from '../verifier/score.ts';
import { type ScoredChange, scoreChange } from '../verifier/scoreChange.ts';
import { runAgentPhase } from './runAgentPhase.ts';
import type { Trial, TrialDeps, TrialObserver, TrialOutcome, TrialTraces, TrialWork } from './trial.ts';
import type { TrialFiles } from './trialFiles.ts';
import { type AgentEnd, type AgentWork, type DoneStep, notStarted } from './tries.ts';

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

/** A try with all that it works with. */
interface Scene {
  readonly trial: Trial;
  readonly environment: PreparedEnvironment;
  readonly files: TrialFiles;
  readonly observer: TrialObserver;
  readonly deps: TrialDeps;
}

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
    const scene = { trial, environment, files, observer, deps };
    const { steps } = trial.task;
    return steps === undefined ? await attempt(scene, signal) : await attemptSteps(scene, steps, signal);
  } catch (error) {
    const isDiskFull = signal.reason instanceof CoachError && signal.reason.code === 'disk.full';
    if (signal.aborted && !isDiskFull) return { kind: 'cancelled' };
    const coach = CoachError.from(isDiskFull ? signal.reason : error);
    deps.log.error(`Trial ${trial.id} failed: ${coach.message}`, { error });
    // Environments are built once per run.
    return { kind: 'errored', error: coach, isFinal: !isBuilt || finalFaults.has(coach.code) };
  }
}

async function attempt(scene: Scene, signal: AbortSignal): Promise<TrialOutcome> {
  const { work, patch, reward, tests } = await workAndJudge(scene, signal);
  const cost = costOf(scene, work.sessionIds);
  const known = { usage: work.usage, cost, sessionIds: work.sessionIds, tests };
  if (patch === null) return toOutcome(work.end, null, known);
  const scored = await scoreTrial(scene, patch, reward, signal);
  const whole = { ...known, score: scored.score };
  if (scored.error === null) return toOutcome(work.end, scored.reward, whole);
  const error = CoachError.fromShape(scored.error);
  return { kind: 'errored', error, isFinal: finalFaults.has(error.code), work: whole };
}

async function scoreTrial(
  { trial: { id, task, agent }, files, deps }: Scene,
  patch: Buffer,
  tests: number | null,
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
async function attemptSteps(scene: Scene, steps: TaskSteps, signal: AbortSignal): Promise<TrialOutcome> {
  const { trial, files, observer, deps } = scene;
  const sessionsOf = (done: readonly DoneStep[]) => [...new Set(done.flatMap(({ work }) => work.sessionIds))];
  const done = await runSteps(
    trial,
    steps,
    async (part, step) => {
      const startedAt = part.from.kind === 'adopt' ? part.from.agent.startedAt : deps.clock.now();
      let agentMs = 0;
      const own = await files.step(step.name);
      const judged = await workAndJudge({ ...scene, trial: part, files: own }, signal, () => {
        agentMs = deps.clock.now() - startedAt;
      });
      await own.close();
      const { work, reward, rewards } = judged;
      const end = work.end.kind === 'finished' ? 'verified' : work.end.kind;
      const { amountUsd } = costOf(scene, work.sessionIds);
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
  return toOutcome(end, reward, { usage, cost: costOf(scene, sessionIds), sessionIds, tests: [] });
}

interface JudgedWork {
  readonly work: AgentWork;
  /** Null when it is not to be judged. */
  readonly patch: Buffer | null;
  readonly reward: number | null;
  readonly rewards: Readonly<Record<string, number>>;
  readonly tests: readonly TestVerdict[];
}

async function workAndJudge(
  scene: Scene,
  signal: AbortSignal,
  onWorked: () => void = () => undefined,
): Promise<JudgedWork> {
  const { trial, environment, files, observer, deps } = scene;
  const { key, task, from } = trial;
  const ahead = new TestsAhead();
  try {
    const { work, patch } =
      from.kind === 'judge'
        ? { work: from.work, patch: await files.readPatch() }
        : await letAgentWork(scene, ahead, signal);
    onWorked();
    if (work.mismatches.length > 0) throw replayMismatch(work.mismatches);
    if (!isJudged(trial, work)) return { work, patch: null, reward: null, rewards: {}, tests: [] };
    observer.onPhase('verifying');
    if (task.verifier.kind === 'rubric') return { work, patch, reward: null, rewards: {}, tests: [] };
    const { run, verdict } = await judgeChange(key, task, patch, { ...deps, environment, ahead }, signal);
    await files.writeVerifier(run);
    return { work, patch, reward: verdict.reward, rewards: run.rewards ?? {}, tests: verdict.tests };
  } finally {
    deps.onRemoval(ahead.dispose());
  }
}

async function letAgentWork(
  { trial, environment, files, observer, deps }: Scene,
  ahead: TestsAhead,
  signal: AbortSignal,
): Promise<{ work: AgentWork; patch: Buffer }> {
  const { key, task } = trial;
  const { verifier } = task;
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
      onAtWork() {
        if (verifier.kind === 'tests') ahead.lay(layTests(key, { ...task, verifier }, null, environment, signal));
      },
    },
    deps,
    signal,
  );
}

/** An agent that never got a reply, or was never started, did not fail at the task: there is no verdict then. */
export function isJudged(
  { agent }: Pick<Trial, 'agent'>,
  { end, heardModel }: Pick<AgentWork, 'end' | 'heardModel'>,
): boolean {
  if (end.kind === 'stalled') return false;
  if (end.kind === 'finished' || heardModel) return true;
  const needsModel = agent.kind === 'program' && agent.dialect !== null;
  return !needsModel && !(end.kind === 'agentFailed' && end.exitCode in notStarted);
}

function toOutcome(end: AgentEnd, reward: number | null, work: TrialWork): TrialOutcome {
  if (end.kind === 'finished') return { kind: 'verified', reward, work };
  return { ...end, reward, work };
}

function costOf({ trial: { agent, choice }, deps }: Scene, sessionIds: readonly string[]): Cost {
  if (agent.kind !== 'program') return noCost;
  if (choice.replay !== null) return { amountUsd: null, kind: 'replay' };
  return deps.traces.cost(sessionIds);
}

function replayMismatch(mismatches: readonly string[]): CoachError {
  return new CoachError('replay.mismatch', `The agent did something else than what was recorded: ${mismatches[0]}`, {
    hint: 'A replay only fits the agent version, task and sandbox that it was recorded with.',
  });
}
