import { expect, it } from 'vitest';
import { memoryExecutor } from '../unit/bench/memoryExecutor.ts';
import { aBench, solutionLine } from './benchFixture.ts';

const report = `<testsuites><testcase name="adds" file="/app/test/add.test.js"/><testcase name="takes the middle" file="/app/test/median.test.js"/></testsuites>`;

it('a run of 200 trials comes to 200 verdicts, each agent begun once', async () => {
  let agents = 0;
  const executor = memoryExecutor({
    tests: () => ({ report, exitCode: 0, output: 'ran' }),
    agent(files) {
      agents++;
      files.set('src/median.js', Buffer.from(`${solutionLine}\n`));
      return 0;
    },
  });
  const bench = await aBench({ executors: () => [executor], task: { command: 'run-the-tests' } });
  const agent = { id: 'command', command: ['agent'] };
  const choices = [agent, { ...agent, label: 'other' }];
  const runId = await bench.run(choices, { attempts: 100, concurrency: 8, startConcurrency: 3 });
  const run = await bench.service.finished(runId);
  expect(run).toMatchObject({ state: 'finished', trialCounts: { total: 200, done: 200, errored: 0 } });
  const ends = bench.store.trials(runId).map(trial => [trial.end, trial.reward, trial.tries]);
  expect(ends).toEqual(Array(200).fill(['verified', 1, 1]));
  expect(agents).toBe(200);
  expect([...executor.living]).toEqual([]);
  await bench.dispose();
}, 600_000);
