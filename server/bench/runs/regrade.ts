import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import type { CriterionFlip, Score } from '../../../protocol/rubric.ts';
import type { Regrade, RunSummary, TestVerdict, TrialSummary } from '../../../protocol/runs.ts';
import { type Clock, toIso } from '../../base/clock.ts';
import { writeFileAtomic } from '../../base/files.ts';
import type { Log } from '../../base/log.ts';
import type { Executors } from '../../executors/index.ts';
import { withBundle } from '../../git/bundle.ts';
import { patchTree } from '../../git/tree.ts';
import type { LaunchSpec, ProxyLaunch } from '../../proxy/proxy.ts';
import type { PreparedTask, TaskSteps } from '../../tasks/preparedTask.ts';
import { type PreparedEnvironments, prepareEnvironments } from '../environments.ts';
import { finalMessage } from '../rubric/finalMessage.ts';
import { type JudgeSettings, parseJudge } from '../rubric/judgeChoice.ts';
import { answersFile } from '../rubric/recordedAnswers.ts';
import { judgeDeps } from '../trials/runTrial.ts';
import type { TrialTraces } from '../trials/trial.ts';
import { toJson } from '../trials/trialFiles.ts';
import { judgeChange } from '../verifier/judgeChange.ts';
import { scoreChange } from '../verifier/scoreChange.ts';
import { changeAt, type LeftWorkDeps, type TrialToJudge, trialsToJudge } from './leftWork.ts';
import { regradeSteps } from './regradeSteps.ts';
import { chooseJudge, type PlanDeps } from './runPlan.ts';

export interface RegradeDeps extends LeftWorkDeps, Pick<PlanDeps, 'keys' | 'judge'> {
  readonly executors: Executors;
  readonly clock: Clock;
  readonly log: Log;
  readonly traces: TrialTraces;
  /** Before a judge that failed is asked again. */
  readonly judgePauseMs: number;
  openLaunch(spec: LaunchSpec): Promise<ProxyLaunch>;
}

export interface RegradeOptions {
  /** Id of an executor, or `auto`. */
  readonly executor: string;
  /** Nothing is run: what the tests gave stays, and the rubric alone is judged. */
  readonly rubricOnly: boolean;
  /** Model API keys by variable name, over those of the server. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly judge?: string | undefined;
  readonly votes?: number | undefined;
}

type Judged = Pick<Regrade, 'after' | 'tests' | 'score' | 'flips' | 'steps' | 'error'>;

/**
 * Judges what the trials of a run left by their tasks and rubrics as they are now, without any agent. What is found stands
 * beside the trials' own verdicts, which nothing changes.
 * @throws CoachError when the run has nothing to judge, or a task is gone
 */
export async function regradeRun(
  run: RunSummary,
  options: RegradeOptions,
  deps: RegradeDeps,
  signal: AbortSignal,
): Promise<Regrade[]> {
  const { store, clock } = deps;
  const judging = chooseJudge(options, deps);
  const left = await trialsToJudge(run, deps);
  const keys = { ...deps.keys(run.repository), ...options.keys };
  const removals: Promise<void>[] = [];
  const environments = options.rubricOnly ? null : await environmentsOf(left, options.executor, deps, signal);
  try {
    const regrades: Regrade[] = [];
    for (const next of left) {
      const { trial } = next;
      const judged = await judgeAgain(next, environments, judging, { ...deps, keys, removals }, signal).catch(
        (error: unknown): Judged => {
          signal.throwIfAborted();
          return { after: null, tests: [], flips: [], error: CoachError.from(error).toShape() };
        },
      );
      const regrade = { trialId: trial.id, at: toIso(clock.now()), before: trial.reward, ...judged };
      store.addRegrade(regrade);
      regrades.push(regrade);
    }
    return regrades;
  } finally {
    await Promise.allSettled(removals);
  }
}

interface JudgingDeps extends Omit<RegradeDeps, 'keys'> {
  readonly keys: Readonly<Record<string, string | undefined>>;
  readonly removals: Promise<void>[];
}

async function judgeAgain(
  left: TrialToJudge,
  environments: PreparedEnvironments | null,
  { judge, votes }: JudgeSettings,
  deps: JudgingDeps,
  signal: AbortSignal,
): Promise<Judged> {
  const { trial, task, patch, number } = left;
  if (patch === null) return judgeSteps(left, environments, deps, signal);
  if (task.steps !== undefined)
    throw new CoachError('task.invalid', `${task.name} was not worked on in steps, and is now.`);
  const tests =
    environments === null || task.verifier.kind === 'rubric'
      ? { reward: testsPart(trial), tests: trial.tests }
      : await runTests(`${trial.id}.regrade${number}`, task, patch, environments, deps, signal);
  const { openLaunch, traces, keys, judgePauseMs: pauseMs } = deps;
  const { reward, score, error, recording } = await scoreChange(
    {
      ...{ trialId: trial.id, task, patch, tests: tests.reward, judge: parseJudge(judge), votes },
      message: task.rubric === null ? null : await finalMessage(trial.directory, deps.findAgent(trial.agent.id)),
      applies: await appliesTo(task, patch, signal),
    },
    judgeDeps({ openLaunch, traces, keys, pauseMs }),
    signal,
  );
  if (recording !== null) {
    await writeFileAtomic(join(trial.directory, 'regrades', String(number), answersFile), toJson(recording));
  }
  return { after: reward, tests: [...tests.tests], score, flips: flipsOf(trial.score, score), error };
}

/** Steps are judged by scripts alone: where none is run, their verdicts stay. */
async function judgeSteps(
  left: TrialToJudge,
  environments: PreparedEnvironments | null,
  deps: JudgingDeps,
  signal: AbortSignal,
): Promise<Judged> {
  const { trial, task, number } = left;
  if (environments === null) return { after: trial.reward, tests: [], flips: [], error: trial.error };
  const { after, steps, error } = await regradeSteps(
    { ...left, patchOf: step => changeAt(join(trial.directory, 'steps', step)) },
    requireSteps(task),
    async (step, patch, place) => {
      const key = `${trial.id}.regrade${number}.${place}`;
      const { reward, rewards } = await runTests(key, step.task, patch, environments, deps, signal);
      return { reward, rewards };
    },
    signal,
  );
  return { after, steps, tests: [], flips: [], error: error?.toShape() ?? null };
}

function requireSteps({ name, steps }: PreparedTask): TaskSteps {
  if (steps !== undefined) return steps;
  throw new CoachError('task.invalid', `${name} was worked on in steps, and has none any more.`);
}

async function runTests(
  key: string,
  task: PreparedTask,
  patch: Buffer,
  environments: PreparedEnvironments,
  { log, removals }: JudgingDeps,
  signal: AbortSignal,
): Promise<{ reward: number; rewards: Readonly<Record<string, number>>; tests: readonly TestVerdict[] }> {
  const onRemoval = (removal: Promise<void>) => void removals.push(removal);
  const { run, verdict } = await judgeChange(
    key,
    task,
    patch,
    { environment: environments.of(task), log, onRemoval },
    signal,
  );
  return { ...verdict, rewards: run.rewards ?? {} };
}

/** What the tests gave in the trial. Where nothing else was scored, its reward is theirs. */
function testsPart({ score, reward }: TrialSummary): number | null {
  return score === undefined ? reward : score.tests;
}

async function appliesTo(task: PreparedTask, patch: Buffer, signal: AbortSignal): Promise<boolean> {
  return withBundle(
    task.bundle,
    start =>
      patchTree(start, start.tree, patch, signal).then(
        () => true,
        (error: unknown) => {
          signal.throwIfAborted();
          if (error instanceof CoachError) return false;
          throw error;
        },
      ),
    signal,
  );
}

/** Criteria whose verdict is another than before, new ones among them. */
function flipsOf(before: Score | undefined, after: Score): CriterionFlip[] {
  const [old, now] = [before?.rubric?.criteria ?? [], after.rubric?.criteria ?? []];
  const all = [...now, ...old.filter(({ id }) => !now.some(criterion => criterion.id === id))];
  return all
    .map(({ id, text }) => ({
      ...{ id, text },
      before: old.find(criterion => criterion.id === id)?.verdict ?? null,
      after: now.find(criterion => criterion.id === id)?.verdict ?? null,
    }))
    .filter(flip => flip.before !== flip.after);
}

async function environmentsOf(
  left: readonly TrialToJudge[],
  executor: string,
  { executors, log }: RegradeDeps,
  signal: AbortSignal,
): Promise<PreparedEnvironments> {
  const tasks = [...new Set(left.map(({ task }) => task))].filter(({ verifier }) => verifier.kind !== 'rubric');
  return prepareEnvironments(tasks, await executors.choose(executor), log, signal);
}
