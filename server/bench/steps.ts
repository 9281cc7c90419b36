import { CoachError } from '../../protocol/errors.ts';
import type { StepVerdict } from '../../protocol/runs.ts';
import { totalTokens } from '../../protocol/usage.ts';
import type { Sandbox } from '../executors/executor.ts';
import type { PreparedTask, TaskStep, TaskSteps } from '../tasks/preparedTask.ts';
import { applyChange } from './outside.ts';
import { runTimed } from './timedCommand.ts';
import type { Trial } from './trials/trial.ts';
import type { DoneStep } from './trials/tries.ts';
import { meanReward } from './verifier/score.ts';

/** How long a step's `setup.sh` may take. */
const setupTimeoutSec = 600;

/**
 * Works through the steps of a trial that are not done yet. Each begins in a fresh sandbox with what the working directory
 * held at the end of the one before, and is judged before the next; one below its smallest reward, or whose agent met a
 * limit, is the last one.
 * @param work lets the agent work on one step and judges it
 * @param patchOf what the working directory held at the end of a step that is done, as a patch of the start
 */
export async function runSteps(
  trial: Trial,
  { each }: TaskSteps,
  work: (part: Trial, step: TaskStep) => Promise<DoneStep>,
  patchOf: (step: TaskStep) => Promise<Buffer>,
  onStep: (done: readonly DoneStep[]) => Promise<void>,
): Promise<readonly DoneStep[]> {
  const done = [...trial.done];
  let { from } = trial;
  for (const [index, step] of [...each.entries()].slice(done.length)) {
    const previous = each[index - 1];
    if (previous !== undefined && !goesOn(previous, done[index - 1]?.verdict)) break;
    const before = previous === undefined ? Buffer.alloc(0) : await patchOf(previous);
    const part = { task: step.task, key: `${trial.key}.${index + 1}`, limits: whatIsLeft(trial.limits, done) };
    done.push(await work({ ...trial, ...part, from, begin: beginning(step, before) }, step));
    await onStep(done);
    from = { kind: 'start' };
  }
  return done;
}

/** Whether the step after this one is begun, by its verdict. */
export function goesOn({ minRewards }: TaskStep, verdict: StepVerdict | undefined): boolean {
  if (verdict === undefined || verdict.reward === null) return false;
  const { end, reward, rewards } = verdict;
  if (end !== 'verified' && end !== 'agentFailed') return false;
  const named: Readonly<Record<string, number>> = { reward, ...rewards };
  return Object.entries(minRewards).every(([name, least]) => (named[name] ?? Number.NEGATIVE_INFINITY) >= least);
}

/** The reward of a trial from those of the steps that were reached; null as soon as one has none. */
export function rewardOfSteps(strategy: TaskSteps['strategy'], steps: readonly StepVerdict[]): number | null {
  if (strategy === 'final') return steps.at(-1)?.reward ?? null;
  return steps.some(step => step.reward === null) ? null : meanReward(steps.map(step => step.reward));
}

/** A run's limits are those of a whole trial. What is left is never nothing: the smallest limit lets no work be done. */
function whatIsLeft(limits: Trial['limits'], done: readonly DoneStep[]): Trial['limits'] {
  const spent = (of: (step: DoneStep) => number) => done.reduce((sum, step) => sum + of(step), 0);
  const { timeoutSec, maxTokens, maxUsd } = limits;
  const tokens = spent(({ work }) => totalTokens(work.usage) ?? 0);
  return {
    ...limits,
    timeoutSec: Math.max(1, timeoutSec - Math.round(spent(step => step.agentMs) / 1000)),
    maxTokens: maxTokens === null ? null : Math.max(1, maxTokens - tokens),
    ...(maxUsd === undefined ? {} : { maxUsd: Math.max(Number.MIN_VALUE, maxUsd - spent(step => step.costUsd ?? 0)) }),
  };
}

/** What is done in a step's sandbox before its agent: the work of the steps before, the step's files, its `setup.sh`. */
export function beginning(
  { name, workdirFiles, task }: TaskStep,
  before: Uint8Array,
): (sandbox: Sandbox, signal: AbortSignal) => Promise<void> {
  return async (sandbox, signal) => {
    const { workdir } = task;
    await applyChange(sandbox, task, before, signal);
    if (workdirFiles === null) return;
    await sandbox.copyIn(workdirFiles, workdir, signal);
    const command = 'if [ -f setup.sh ]; then bash ./setup.sh; fi';
    const run = await runTimed(sandbox, { command, cwd: workdir, env: {}, timeoutSec: setupTimeoutSec }, signal);
    if (run.exitCode === 0) return;
    const how = run.timedOut ? 'did not end in time' : `ended with exit code ${run.exitCode}`;
    throw new CoachError('task.invalid', `setup.sh of step ${name} of ${task.name} ${how}.`, {
      hint: `Its last words: ${run.output.toString().trim().split('\n').at(-1) ?? ''}`,
    });
  };
}

/**
 * Judges a change for each step in turn, without agents, and combines the rewards as a trial does; for a task of one part
 * this is one judgement. @param judge how a task, or a step as a task, is judged
 */
export async function overSteps<T extends { readonly reward?: number | null }>(
  task: PreparedTask,
  judge: (part: PreparedTask) => Promise<T>,
): Promise<T> {
  if (task.steps === undefined) return judge(task);
  const { strategy, each } = task.steps;
  const verdicts: StepVerdict[] = [];
  let last: T | null = null;
  for (const step of each) {
    last = await judge(step.task);
    verdicts.push({ name: step.name, end: 'verified', reward: last.reward ?? null, rewards: {} });
  }
  if (last === null) throw new Error(`${task.name} has no steps.`);
  return { ...last, reward: rewardOfSteps(strategy, verdicts) };
}
