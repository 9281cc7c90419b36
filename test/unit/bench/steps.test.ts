import { describe, expect, it } from 'vitest';
import { noUsage } from '../../../protocol/usage.ts';
import { overSteps, rewardOfSteps, runSteps } from '../../../server/bench/steps.ts';
import type { Trial } from '../../../server/bench/trials/trial.ts';
import type { AgentEnd, DoneStep } from '../../../server/bench/trials/tries.ts';
import type { PreparedTask, TaskStep, TaskSteps } from '../../../server/tasks/preparedTask.ts';

const aStep = (name: string, minRewards: TaskStep['minRewards'] = {}): TaskStep => ({
  ...{ name, minRewards, workdirFiles: null },
  task: { name: 'task', instruction: `Do ${name}.`, workdir: '/app' } as PreparedTask,
});

const done = (
  name: string,
  reward: number | null,
  more: { end?: AgentEnd; tokens?: number; agentMs?: number } = {},
) => {
  const { end = { kind: 'finished' }, tokens = 0, agentMs = 0 } = more;
  const usage = { ...noUsage, inputTokens: tokens, outputTokens: 0 };
  return {
    verdict: {
      name,
      end: end.kind === 'finished' ? 'verified' : end.kind,
      reward,
      rewards: reward === null ? {} : { reward, speed: reward / 2 },
    },
    work: { end, usage, heardModel: true, sessionIds: [], mismatches: [] },
    ...{ costUsd: 0.25, agentMs },
  } satisfies DoneStep;
};

const limits = { timeoutSec: 100, maxTokens: 1000, maxUsd: 1 };
const aTrial = (more: Partial<Trial> = {}) =>
  ({ key: 'run.1', limits, done: [], from: { kind: 'start' }, ...more }) as unknown as Trial;

/** What each step is begun with, and which verdicts it gave. */
async function run(each: TaskSteps['each'], outcomes: Record<string, DoneStep>, trial = aTrial()) {
  const begun: { key: string; instruction: string; from: string; limits: Trial['limits'] }[] = [];
  const saved: string[][] = [];
  const all = await runSteps(
    trial,
    { strategy: 'mean', each },
    async (part, step) => {
      begun.push({ key: part.key, instruction: part.task.instruction, from: part.from.kind, limits: part.limits });
      return outcomes[step.name] as DoneStep;
    },
    async () => Buffer.alloc(0),
    async soFar => void saved.push(soFar.map(({ verdict }) => verdict.name)),
  );
  return { begun, saved, names: all.map(({ verdict }) => verdict.name) };
}

describe('the steps of a trial', () => {
  it('are worked on in turn, each with its own instruction and what is left of the limits', async () => {
    const first = done('a', 0.5, { tokens: 300, agentMs: 20_000 });
    const { begun, saved } = await run([aStep('a'), aStep('b')], { a: first, b: done('b', 1) });
    expect(begun).toEqual([
      { key: 'run.1.1', instruction: 'Do a.', from: 'start', limits },
      {
        ...{ key: 'run.1.2', instruction: 'Do b.', from: 'start' },
        limits: { timeoutSec: 80, maxTokens: 700, maxUsd: 0.75 },
      },
    ]);
    expect(saved).toEqual([['a'], ['a', 'b']]);
  });

  it.each([
    [{ reward: 0.5 }, 0.5, true],
    [{ reward: 0.6 }, 0.5, false],
    [{ speed: 0.25 }, 0.5, true],
    [{ speed: 0.3 }, 0.5, false],
    [{ unheardOf: 0 }, 1, false],
  ])('with the smallest rewards %o go on after %d: %s', async (least, reward, goesOn) => {
    const { names } = await run([aStep('a', least), aStep('b')], { a: done('a', reward), b: done('b', 1) });
    expect(names).toEqual(goesOn ? ['a', 'b'] : ['a']);
  });

  it.each([
    [{ kind: 'agentFailed', exitCode: 1 }, true],
    [{ kind: 'timedOut' }, false],
    [{ kind: 'diskSpent' }, false],
    [{ kind: 'budgetSpent', tokens: 5 }, false],
  ] as const)('whose agent ended as %o go on: %s', async (end, goesOn) => {
    const { names } = await run([aStep('a'), aStep('b')], { a: done('a', 1, { end }), b: done('b', 1) });
    expect(names.length).toBe(goesOn ? 2 : 1);
  });

  it('that are done are not done again, and an agent at work in the next one is gone on with', async () => {
    const from = { kind: 'adopt', agent: {} } as Trial['from'];
    const trial = aTrial({ done: [done('a', 1)], from });
    const { begun, names } = await run(
      [aStep('a'), aStep('b'), aStep('c')],
      { b: done('b', 1), c: done('c', 1) },
      trial,
    );
    expect(begun.map(({ instruction, from: kind }) => [instruction, kind])).toEqual([
      ['Do b.', 'adopt'],
      ['Do c.', 'start'],
    ]);
    expect(names).toEqual(['a', 'b', 'c']);
  });
});

describe('the reward of a task in steps', () => {
  const verdicts = (...rewards: (number | null)[]) => rewards.map(reward => done('x', reward).verdict);

  it('is the mean of those that were reached, or the last one', () => {
    expect(rewardOfSteps('mean', verdicts(1, 0.5))).toBe(0.75);
    expect(rewardOfSteps('final', verdicts(1, 0.5))).toBe(0.5);
  });

  it('is none as soon as it needs one that is none', () => {
    expect(rewardOfSteps('mean', verdicts(1, null))).toBeNull();
    expect(rewardOfSteps('final', verdicts(1, null))).toBeNull();
    expect(rewardOfSteps('final', verdicts(null, 1))).toBe(1);
  });

  it('of one change is that of every step’s verdict on it', async () => {
    const task = {
      name: 'task',
      steps: { strategy: 'mean', each: [aStep('a'), aStep('b')] },
    } as unknown as PreparedTask;
    const rewards = [1, 0];
    expect(await overSteps(task, async () => ({ reward: rewards.shift() ?? null }))).toEqual({ reward: 0.5 });
    expect(await overSteps({ name: 'one' } as PreparedTask, async () => ({ reward: 0.3 }))).toEqual({ reward: 0.3 });
  });
});
