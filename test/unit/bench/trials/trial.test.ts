import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CoachError } from '../../../../protocol/errors.ts';
import { aBench, type Bench, solutionLine } from '../../../integration/benchFixture.ts';
import { type MemoryExecutor, type MemoryPrograms, memoryExecutor } from '../memoryExecutor.ts';

const passing = (hidden: boolean) =>
  `<testsuites><testcase name="adds" file="/app/test/add.test.js"/><testcase name="takes the middle" file="/app/test/median.test.js">${hidden ? '' : '<failure message="no"/>'}</testcase></testsuites>`;

/** Tests that look whether the solution is there, as text. */
const tests: MemoryPrograms['tests'] = files => {
  const solved =
    files.get('src/median.js')?.toString().includes(solutionLine) === true && files.has('test/median.test.js');
  return { report: passing(solved), exitCode: solved ? 0 : 1, output: 'ran' };
};

describe('a trial', () => {
  let bench: Bench;
  let executor: MemoryExecutor;
  afterEach(() => bench.dispose());

  const start = async (programs: Partial<MemoryPrograms>, options: Partial<Parameters<typeof aBench>[0]> = {}) => {
    executor = memoryExecutor({ tests, ...programs });
    bench = await aBench({ executors: () => [executor], task: { command: 'run-the-tests' }, ...options });
  };
  const finished = async (more: Parameters<Bench['run']>[1] = {}) => {
    const runId = await bench.run([{ id: 'command', command: ['agent'] }], more);
    await bench.service.finished(runId);
    expect([...executor.living]).toEqual([]);
    return bench.store.trials(runId);
  };

  it('judges what the agent left, and saves it with what the agent said', async () => {
    await start({
      agent(files, command) {
        files.set('src/median.js', Buffer.from(`${solutionLine}\n`));
        command.onStdout?.(Buffer.from('first\nsec'));
        command.onStdout?.(Buffer.from('ond\n'));
        command.onStderr?.(Buffer.from('warning'));
        return 0;
      },
    });
    const [trial] = await finished();
    expect(trial).toMatchObject({ end: 'verified', reward: 1, diff: { files: 1 }, phase: 'done' });
    const directory = trial?.directory ?? '';
    expect(readFileSync(join(directory, 'agent', 'stdout.jsonl'), 'utf8')).toBe('first\nsecond\n');
    expect(readFileSync(join(directory, 'agent', 'stderr.log'), 'utf8')).toBe('warning');
    const texts = bench.store.events(trial?.runId ?? '', 0, 100).map(event => event.text);
    expect(texts).toContain('message: second');
  });

  it('judges what an agent left that failed in the end', async () => {
    await start({
      agent(files) {
        files.set('src/median.js', Buffer.from(`${solutionLine}\n`));
        return 3;
      },
    });
    const [trial] = await finished();
    expect(trial).toMatchObject({ end: 'agentFailed', reward: 1 });
    expect(trial?.error?.message).toBe('The agent ended with exit code 3. What it left was judged.');
  });

  it('gives no verdict on an agent whose program is not there, and says so', async () => {
    await start({ agent: () => 127 });
    const [trial] = await finished();
    expect(trial).toMatchObject({ end: 'agentFailed', reward: null });
    expect(trial?.error?.message).toBe('The agent ended with exit code 127 (a program that is not there).');
  });

  it('does not let an agent bring its own tests', async () => {
    await start({
      agent(files) {
        files.set('test/add.test.js', Buffer.from('// nothing to see'));
        files.set('test/median.test.js', Buffer.from('// nothing to see'));
        return 0;
      },
      tests(files) {
        const kept = files.get('test/median.test.js')?.toString().includes('takes the middle') === true;
        const guarded = files.get('test/add.test.js')?.toString().includes('adds') === true;
        return { report: passing(false), exitCode: 1, output: `${kept} ${guarded}` };
      },
    });
    const [trial] = await finished();
    expect(trial?.reward).toBe(0);
    expect(readFileSync(join(trial?.directory ?? '', 'verifier', 'test-stdout.txt'), 'utf8')).toBe('true true');
  });

  it.each([
    ['the sandbox does not start', { start: () => fail('sandbox.failed') }],
    ['the agent can not be run', { agent: () => fail('docker.failed') }],
  ])('is an error without a reward when %s', async (_, programs) => {
    await start(programs as Partial<MemoryPrograms>);
    expect((await finished())[0]).toMatchObject({ end: 'errored', reward: null, error: { message: 'broken' } });
  });

  it('verifies in another sandbox, once nothing runs in that of the agent', async () => {
    const seen: string[][] = [];
    const look = () => seen.push([...executor.running].map(name => name.split('-')[2] ?? ''));
    await start({
      agent: () => look() && 0,
      tests(files) {
        look();
        return tests(files);
      },
    });
    await finished();
    expect(seen).toEqual([['agent'], ['verify']]);
    expect([...executor.living]).toEqual([]);
  });

  it('gives an agent the time that the run allows, not that of its task, and says so', async () => {
    await start(
      { agent: () => new Promise(resolve => setTimeout(() => resolve(0), 1500)) },
      { task: { command: 'run-the-tests', agentTimeoutSec: 1 } },
    );
    const [trial] = await finished({ limits: { timeoutSec: 7200, maxTokens: null } });
    expect(trial?.end).toBe('verified');
    const texts = bench.store.events(trial?.runId ?? '', 0, 100).map(event => event.text);
    expect(texts).toContain("The agent has 7200 s, the run's limit, and not the 1 s of the task.");
  });

  it('keeps a short journal of an agent that prints without end, and counts what it leaves out', async () => {
    await start({
      agent(_files, command) {
        for (let index = 0; index < 50; index++) command.onStdout?.(Buffer.from('line\n'.repeat(1000)));
        return 0;
      },
    });
    const [trial] = await finished();
    const texts = bench.store.events(trial?.runId ?? '', 0, 5000).map(event => event.text);
    const shown = texts.filter(text => text === 'message: line').length;
    const leftOut = texts.map(text => Number(/^(\d+) more lines of the agent/.exec(text)?.[1] ?? 0));
    expect(shown).toBeLessThan(150);
    expect(shown + leftOut.reduce((sum, count) => sum + count, 0)).toBe(50_000);
  });

  it('keeps the first 32 MiB of what an agent prints, and a note', async () => {
    await start({
      async agent(_files, command) {
        for (let index = 0; index < 40; index++) await command.onStderr?.(Buffer.alloc(1024 * 1024, 'x'));
        return 0;
      },
    });
    const [trial] = await finished();
    const kept = readFileSync(join(trial?.directory ?? '', 'agent', 'stderr.log'), 'latin1');
    expect(kept.slice(32 * 1024 * 1024)).toBe('\n[What came after the first 32 MiB was not kept.]\n');
  });

  it('stops a run of many trials at once: those that wait never start', async () => {
    await start({
      agent: (_files, _command, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    });
    const runId = await bench.run([{ id: 'command', command: ['agent'] }], { attempts: 5, concurrency: 2 });
    await expect.poll(() => executor.running.size, { timeout: 10_000 }).toBe(2);
    const run = await bench.service.cancel(runId);
    expect(run).toMatchObject({ state: 'cancelled', trialCounts: { total: 5, done: 5, errored: 0 } });
    expect(bench.store.trials(runId).map(trial => trial.end)).toEqual(Array(5).fill('cancelled'));
    expect([...executor.living]).toEqual([]);
  });

  it('gives an agent without a key no way to a model', async () => {
    const endpoints: unknown[] = [];
    await start({ start: spec => void endpoints.push(spec.endpoint), agent: () => 0 }, { keys: () => ({}) });
    expect((await finished())[0]).toMatchObject({ end: 'verified', reward: 0 });
    expect(endpoints).toEqual([null, null]);
  });

  it('is an error when its directory can not be made, and the run goes on', async () => {
    await start({ agent: () => 0 });
    mkdirSync(join(bench.root, '.coach'), { recursive: true });
    writeFileSync(join(bench.root, '.coach', 'runs'), 'in the way');
    const runId = await bench.run([{ id: 'nop' }, { id: 'oracle' }]);
    expect((await bench.service.finished(runId)).state).toBe('finished');
    expect(bench.store.trials(runId).map(trial => [trial.end, trial.error?.code])).toEqual([
      ['errored', 'disk.readOnly'],
      ['errored', 'disk.readOnly'],
    ]);
  });
});

function fail(code: 'sandbox.failed' | 'docker.failed'): never {
  throw new CoachError(code, 'broken');
}
