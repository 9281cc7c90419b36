import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import type { CriterionFlip, Score } from '../../protocol/rubric.ts';
import type { Regrade, RunSummary, TestVerdict, TrialSummary } from '../../protocol/runs.ts';
import type { Agent } from '../agents/agent.ts';
import { type Clock, toIso } from '../base/clock.ts';
import { writeFileAtomic } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import type { Executors } from '../executors/index.ts';
import { withBundle } from '../git/bundle.ts';
import { patchTree } from '../git/tree.ts';
import type { LaunchSpec, ProxyLaunch } from '../proxy/proxy.ts';
import type { PreparedTask } from '../tasks/preparedTask.ts';
import { type PreparedEnvironments, prepareEnvironments } from './environments.ts';
import { judgeChange } from './judgeChange.ts';
import { finalMessage } from './rubric/finalMessage.ts';
import { type JudgeSettings, parseJudge } from './rubric/judgeChoice.ts';
import { answersFile } from './rubric/recordedAnswers.ts';
import { chooseJudge, type PlanDeps } from './runPlan.ts';
import type { RunStore } from './runStore.ts';
import { scoreChange } from './scoreChange.ts';
import { judgeDeps, type TrialTraces } from './trial.ts';
import { toJson } from './trialFiles.ts';

export interface RegradeDeps extends Pick<PlanDeps, 'keys' | 'judge'> {
  readonly store: RunStore;
  readonly executors: Executors;
  readonly clock: Clock;
  readonly log: Log;
  readonly traces: TrialTraces;
  /** Before a judge that failed is asked again. */
  readonly judgePauseMs: number;
  openLaunch(spec: LaunchSpec): Promise<ProxyLaunch>;
  findAgent(id: string): Agent;
  loadTask(root: string, name: string): Promise<PreparedTask>;
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

interface TrialToJudge {
  readonly trial: TrialSummary;
  readonly task: PreparedTask;
  readonly patch: Buffer;
  /** Names this judging apart from the earlier ones. */
  readonly number: number;
}

type Judged = Pick<Regrade, 'after' | 'tests' | 'score' | 'flips' | 'error'>;

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
  { trial, task, patch, number }: TrialToJudge,
  environments: PreparedEnvironments | null,
  { judge, votes }: JudgeSettings,
  deps: JudgingDeps,
  signal: AbortSignal,
): Promise<Judged> {
  if (task.steps !== undefined) {
    throw new CoachError('task.unsupported', `${task.name} is worked on in steps, which can't be judged again.`);
  }
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

async function runTests(
  key: string,
  task: PreparedTask,
  patch: Buffer,
  environments: PreparedEnvironments,
  { log, removals }: JudgingDeps,
  signal: AbortSignal,
): Promise<{ reward: number; tests: readonly TestVerdict[] }> {
  const onRemoval = (removal: Promise<void>) => void removals.push(removal);
  const { verdict } = await judgeChange(
    key,
    task,
    patch,
    { environment: environments.of(task), log, onRemoval },
    signal,
  );
  return verdict;
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

/** Ended trials with the change that their agents left, and their tasks as they are now. */
async function trialsToJudge(run: RunSummary, { store, loadTask }: RegradeDeps): Promise<TrialToJudge[]> {
  const tasks = new Map<string, PreparedTask>();
  const found: TrialToJudge[] = [];
  for (const trial of store.trials(run.id)) {
    if (trial.phase !== 'done' || trial.end === 'stalled') continue;
    const patch = await readFile(join(trial.directory, 'diff.patch')).catch(() => null);
    if (patch === null) continue;
    const task = tasks.get(trial.task) ?? (await loadTask(run.repository, trial.task));
    tasks.set(trial.task, task);
    found.push({ trial, task, patch, number: store.regrades(trial.id).length + 1 });
  }
  if (found.length > 0) return found;
  throw new CoachError('input.invalid', `No trial of run ${run.id} has left a change to judge.`);
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
