import { join } from 'node:path';
import * as z from 'zod';
import { CoachError } from '../../../protocol/errors.ts';
import { RunLimits, type RunSummary, type runs } from '../../../protocol/runs.ts';
import { type Agent, routeOf } from '../../agents/agent.ts';
import { type Clock, toIso } from '../../base/clock.ts';
import type { Executor } from '../../executors/executor.ts';
import type { Executors } from '../../executors/index.ts';
import { isProven } from '../../tasks/format.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { type JudgeSettings, parseJudge, requireJudgeKey, requireOddVotes } from '../rubric/judgeChoice.ts';
import { missingKey } from '../trials/modelAccess.ts';
import { taskDigest, trialFingerprint } from './fingerprint.ts';
import { newRunId, type PlannedAgent, planAgents, planTrials } from './plan.ts';
import type { NewTrial, RunRecord } from './runStore.ts';

export type RunRequest = z.output<(typeof runs.members.start)['params']>;

/** What of a request must be known to go on with its run, beside what the run itself tells. Never keys. */
export const RunOptions = z.object({
  concurrency: z.int(),
  startConcurrency: z.int(),
  retries: z.int(),
  fresh: z.boolean(),
  unproven: z.boolean(),
  limits: RunLimits,
  judge: z.string().default(''),
  votes: z.int().default(3),
  /** Names of the keys that its agents were given. */
  usedKeys: z.array(z.string()),
});
export type RunOptions = z.infer<typeof RunOptions>;

export interface Plan {
  record: RunRecord;
  readonly options: RunOptions;
  readonly tasks: readonly PreparedTask[];
  readonly agents: readonly PlannedAgent[];
  readonly executors: readonly [Executor, ...Executor[]];
  readonly keys: Readonly<Record<string, string | undefined>>;
  readonly digests: ReadonlyMap<string, string>;
  readonly trials: readonly NewTrial[];
}

export interface PlanDeps {
  readonly clock: Clock;
  readonly executors: Executors;
  findAgent(id: string): Agent;
  /** The repository's root and its prepared task by that name. @throws CoachError `task.missing`, `task.invalid` */
  loadTask(root: string, name: string): Promise<PreparedTask>;
  repositoryRoot(directory: string): Promise<string>;
  keys(root: string): Readonly<Record<string, string | undefined>>;
  /** Who judges rubrics where a run does not say. */
  judge(): JudgeSettings;
}

/** Checks everything that can be checked before a run. @throws CoachError when it can't be started */
export async function makePlan(request: RunRequest, deps: PlanDeps): Promise<Plan> {
  const agents = planAgents(request.agents, deps.findAgent);
  const root = await deps.repositoryRoot(request.repository);
  const keys = { ...deps.keys(root), ...request.keys };
  for (const { agent, choice } of agents) {
    const { keyName } = routeOf(agent, choice.model);
    const needsKey = agent.dialect !== null && choice.replay === null && keyName !== null;
    if (needsKey && !keys[keyName]) throw missingKey(agent, keyName);
  }
  const tasks = await Promise.all([...new Set(request.tasks)].map(name => deps.loadTask(root, name)));
  if (!request.unproven) for (const task of tasks) requireProven(task);
  const judging = chooseJudge(request, deps);
  const judgeKey = judgeKeyName(judging, tasks, keys);
  const executors = await deps.executors.choose(request.executor);
  const id = newRunId(deps.clock.now());
  const { limits, attempts, concurrency, startConcurrency, retries, fresh, unproven } = request;
  const record: RunRecord = {
    ...{ id, repository: root, directory: join(root, '.coach', 'runs', id), state: 'running' },
    ...{ tasks: tasks.map(task => task.name), agents: agents.map(({ choice }) => choice), attempts, limits },
    ...{ executor: executors[0].id, notIsolated: [...executors[0].notIsolated] },
    ...{ createdAt: toIso(deps.clock.now()), finishedAt: null },
  };
  const usedKeys = agents.flatMap(planned => {
    const { keyName } = routeOf(planned.agent, planned.choice.model);
    return keyName !== null && keys[keyName] ? [keyName] : [];
  });
  if (judgeKey !== null) usedKeys.push(judgeKey);
  const options = { limits, concurrency, startConcurrency, retries, fresh, unproven, usedKeys, ...judging };
  return withTrials({ record, options, tasks, agents, executors, keys });
}

/**
 * The plan of a run that was begun earlier, with the executor that it came to.
 * @throws CoachError when it can't go on now: a key or a task is missing, or a task is not what it was
 */
export async function remakePlan(
  run: RunSummary,
  options: RunOptions,
  keys: Readonly<Record<string, string>>,
  fingerprintOf: (trialId: string) => string | null,
  deps: PlanDeps,
): Promise<Plan> {
  const agents = planAgents(run.agents, deps.findAgent);
  const all = { ...deps.keys(run.repository), ...keys };
  for (const { agent, choice } of agents) {
    const { keyName } = routeOf(agent, choice.model);
    if (keyName !== null && options.usedKeys.includes(keyName) && !all[keyName]) throw missingKey(agent, keyName);
  }
  const tasks = await Promise.all(run.tasks.map(name => deps.loadTask(run.repository, name)));
  judgeKeyName(options, tasks, all);
  const executors = await deps.executors.choose(run.executor);
  const plan = await withTrials({ record: run, options, tasks, agents, executors, keys: all });
  for (const { trial, fingerprint } of plan.trials) {
    if (fingerprintOf(trial.id) === fingerprint) continue;
    throw new CoachError(
      'task.invalid',
      `${trial.task} or ${trial.agentLabel} is not what it was when the run began.`,
      {
        hint: 'Its trials could not be compared with those that have ended. Start a new run.',
      },
    );
  }
  return plan;
}

async function withTrials(plan: Omit<Plan, 'digests' | 'trials'>): Promise<Plan> {
  const digests = new Map<string, string>();
  for (const task of plan.tasks) digests.set(task.name, await taskDigest(task, plan.options));
  const trials = planTrials(plan.record, plan.tasks, plan.agents, plan.record.attempts);
  const withDigests = { ...plan, digests, trials: [] };
  return { ...withDigests, trials: fingerprinted(withDigests, trials) };
}

/** @throws CoachError `input.invalid` */
export function chooseJudge(
  { judge, votes }: { readonly judge?: string | undefined; readonly votes?: number | undefined },
  deps: Pick<PlanDeps, 'judge'>,
): JudgeSettings {
  const usual = deps.judge();
  const chosen = { judge: judge ?? usual.judge, votes: requireOddVotes(votes ?? usual.votes) };
  parseJudge(chosen.judge);
  return chosen;
}

/** Which key a judge is given, where there is something to judge and a model to do it. @throws CoachError `agent.noKey` */
function judgeKeyName({ judge }: JudgeSettings, tasks: readonly PreparedTask[], keys: Plan['keys']): string | null {
  const choice = parseJudge(judge);
  if (choice.kind !== 'model' || !tasks.some(task => task.rubric !== null)) return null;
  requireJudgeKey(choice, keys);
  return choice.provider.keyName;
}

/** Trials with their fingerprints for the executor that the run has now. */
export function fingerprinted(
  { record, agents, digests, options }: Omit<Plan, 'trials'>,
  trials: readonly NewTrial['trial'][],
): NewTrial[] {
  return trials.map(trial => {
    const agent = agents.find(({ label }) => label === trial.agentLabel);
    const digest = digests.get(trial.task);
    if (agent === undefined || digest === undefined) throw new Error(`Trial ${trial.id} is not part of its plan.`);
    return { trial, fingerprint: trialFingerprint(digest, agent, options.limits, record.executor) };
  });
}

function requireProven(task: PreparedTask): void {
  if (isProven(task.proof)) return;
  throw new CoachError('task.unproven', `${task.name} has not been proven.`, {
    hint: `Run: codex-coach task validate ${task.name} (or add --unproven to run it all the same).`,
  });
}
