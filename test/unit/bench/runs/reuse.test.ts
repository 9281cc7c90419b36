import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentChoice } from '../../../../protocol/runs.ts';
import { systemClock } from '../../../../server/base/clock.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { regradeRun } from '../../../../server/bench/runs/regrade.ts';
import { executorsOf } from '../../../../server/executors/index.ts';
import { loadPreparedTask } from '../../../../server/tasks/format.ts';
import { preparedDirectory } from '../../../../server/tasks/places.ts';
import { aBench, type Bench, solutionLine } from '../../../integration/benchFixture.ts';
import { type MemoryExecutor, memoryExecutor } from '../memoryExecutor.ts';

const report = (hidden: boolean) =>
  `<testsuites><testcase name="adds" file="/app/test/add.test.js"/><testcase name="takes the middle" file="/app/test/median.test.js">${hidden ? '' : '<failure message="no"/>'}</testcase></testsuites>`;

describe('runs of the same', () => {
  let bench: Bench;
  let executor: MemoryExecutor;
  let agents = 0;
  let isRight = (text: string) => text.includes(solutionLine);

  beforeEach(async () => {
    agents = 0;
    isRight = text => text.includes(solutionLine);
    executor = memoryExecutor({
      tests(files) {
        const solved = isRight(files.get('src/median.js')?.toString() ?? '');
        return { report: report(solved), exitCode: solved ? 0 : 1, output: 'ran' };
      },
      agent(files) {
        agents++;
        files.set('src/median.js', Buffer.from(`${solutionLine}\n`));
        return 0;
      },
    });
    bench = await aBench({ executors: () => [executor], task: { command: 'run-the-tests' } });
  });
  afterEach(() => bench.dispose());

  const agent: Partial<AgentChoice> = { id: 'command', command: ['agent'] };
  const run = async (more: Parameters<Bench['run']>[1] = {}, ...choices: Partial<AgentChoice>[]) => {
    const runId = await bench.run(choices.length === 0 ? [agent] : choices, { fresh: false, ...more });
    await bench.service.finished(runId);
    return bench.store.trials(runId);
  };

  it('take each finished trial for one attempt, and run only what is new', async () => {
    const first = await run({ attempts: 2 });
    expect(agents).toBe(2);
    const second = await run({ attempts: 3 });
    expect(agents).toBe(3);
    expect(second.map(trial => trial.reusedFrom ?? null)).toEqual([first[1]?.id, first[0]?.id, null]);
    const ends = bench.store
      .events(second[0]?.runId ?? '', 0, 1000)
      .filter(({ kind, trialId }) => kind === 'end' && trialId !== null);
    expect(ends.map(({ text }) => text).toSorted()).toEqual(
      [
        ...[first[0]?.id, first[1]?.id].map(id => `Passed (reused), reward 1.00. The verdict is that of ${id}.`),
        'Passed, reward 1.00',
      ].toSorted(),
    );
    expect(second.map(trial => [trial.end, trial.reward])).toEqual(Array(3).fill(['verified', 1]));
    const third = await run({ attempts: 3 });
    expect(agents).toBe(3);
    // Never from one that is reused itself.
    expect(new Set(third.map(trial => trial.reusedFrom))).toEqual(new Set([first[0]?.id, first[1]?.id, second[2]?.id]));
  });

  it('are run again where anything that counts is different, or when they shall be', async () => {
    await run();
    await run({ fresh: true });
    await run({ limits: { timeoutSec: 60, maxTokens: null } });
    await run({}, { ...agent, model: 'gpt-5.5' });
    await run({}, { ...agent, command: ['agent', '--more'] });
    expect(agents).toBe(5);
    appendFileSync(join(preparedDirectory(bench.root), 'median', 'instruction.md'), 'Please.\n');
    expect((await run())[0]?.reusedFrom).toBeUndefined();
    expect(agents).toBe(6);
  });

  it('are not gone on with when their task has changed meanwhile', async () => {
    const [trial] = await run();
    const runId = trial?.runId ?? '';
    if (trial !== undefined) bench.store.saveTrial({ ...trial, end: 'cancelled', reward: null });
    appendFileSync(join(preparedDirectory(bench.root), 'median', 'instruction.md'), 'Please.\n');
    await expect(bench.service.resume(runId)).rejects.toMatchObject({ code: 'task.invalid' });
  });

  it('are planned with what earlier ones took, and unknown is said where there are none', async () => {
    const request = {
      ...{ repository: bench.root, tasks: ['median'], agents: [], attempts: 4, executor: 'auto', concurrency: 2 },
      ...{ startConcurrency: 2, retries: 2, fresh: true, unproven: true, keys: {} },
      limits: { timeoutSec: 120, maxTokens: null },
    };
    const choice = { id: 'command', model: null, label: null, command: ['agent'], replay: null };
    const before = await bench.service.plan({ ...request, agents: [choice] });
    expect(before).toMatchObject({ trials: 4, reused: 0, mayCost: true, costUsd: null, wallMs: null });
    await run();
    const after = await bench.service.plan({ ...request, agents: [choice], fresh: false });
    expect(after).toMatchObject({ trials: 4, reused: 1, agents: [{ trials: 3, basis: 1, costUsd: null }] });
    const [agentMs] = after.agents.map(known => known.agentMs);
    expect(after.wallMs).toBe((agentMs ?? Number.NaN) / 2);
    expect(await bench.service.plan({ ...request, agents: [{ ...choice, id: 'nop' }] })).toMatchObject({
      mayCost: false,
      costUsd: 0,
    });
    expect(agents).toBe(1);
  });

  it('can be judged anew without their agents, and earlier verdicts stay', async () => {
    const [trial] = await run();
    isRight = text => text.includes('something else');
    const deps = {
      ...{ store: bench.store, executors: executorsOf([executor]), clock: systemClock, log: silentLog },
      ...bench.judging,
      loadTask: (root: string, name: string) => loadPreparedTask(join(preparedDirectory(root), name)),
    };
    const summary = bench.service.require(trial?.runId ?? '');
    const rows = await regradeRun(summary, { executor: 'auto', rubricOnly: false }, deps, new AbortController().signal);
    expect(rows).toMatchObject([{ trialId: trial?.id, before: 1, after: 0, error: null }]);
    expect(bench.store.trial(trial?.id ?? '')).toEqual(trial);
    expect(bench.store.regrades(trial?.id ?? '')).toEqual(rows);
    expect(agents).toBe(1);
    expect([...executor.living]).toEqual([]);
  });
});
