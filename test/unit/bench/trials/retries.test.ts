import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CoachError, type ErrorCode } from '../../../../protocol/errors.ts';
import { newTry } from '../../../../server/bench/trials/tries.ts';
import { aBench, type Bench, solutionLine } from '../../../integration/benchFixture.ts';
import { type MemoryPrograms, memoryExecutor } from '../memoryExecutor.ts';

const report = (hidden: boolean) =>
  `<testsuites><testcase name="adds" file="/app/test/add.test.js"/><testcase name="takes the middle" file="/app/test/median.test.js">${hidden ? '' : '<failure message="no"/>'}</testcase></testsuites>`;
const tests: MemoryPrograms['tests'] = files => {
  const solved = files.get('src/median.js')?.toString().includes(solutionLine) === true;
  return { report: report(solved), exitCode: solved ? 0 : 1, output: 'ran' };
};
const solve: MemoryPrograms['agent'] = files => {
  files.set('src/median.js', Buffer.from(`${solutionLine}\n`));
  return 0;
};
const fault = (code: ErrorCode) => new CoachError(code, 'broken');

describe('a failure of the machine', () => {
  let bench: Bench;
  afterEach(() => bench.dispose());

  const start = async (programs: Partial<MemoryPrograms>) => {
    const executor = memoryExecutor({ tests, agent: solve, ...programs });
    bench = await aBench({ executors: () => [executor], task: { command: 'run-the-tests' } });
  };
  const finished = async (more: Parameters<Bench['run']>[1] = {}) => {
    const runId = await bench.run([{ id: 'command', command: ['agent'] }], more);
    await bench.service.finished(runId);
    return bench.store.trials(runId)[0];
  };
  const ends = (trialId = '') => bench.store.tries(trialId).map(({ number, end, error }) => [number, end, error?.code]);

  it('is tried again, and each try is kept', async () => {
    let starts = 0;
    await start({
      start() {
        if (++starts <= 2) throw fault('docker.unavailable');
      },
    });
    const trial = await finished();
    expect(trial).toMatchObject({ end: 'verified', reward: 1, error: null, tries: 3 });
    expect(ends(trial?.id)).toEqual([
      [1, 'errored', 'docker.unavailable'],
      [2, 'errored', 'docker.unavailable'],
      [3, 'verified', undefined],
    ]);
  });

  it('ends the trial as an error when it has no tries left, which a resume grants anew', async () => {
    let works = false;
    await start({
      start() {
        if (!works) throw fault('sandbox.failed');
      },
    });
    const trial = await finished({ retries: 1 });
    expect(trial).toMatchObject({ end: 'errored', reward: null, tries: 2 });
    works = true;
    await bench.service.resume(trial?.runId ?? '');
    const run = await bench.service.finished(trial?.runId ?? '');
    expect(run).toMatchObject({ state: 'finished', trialCounts: { total: 1, done: 1, errored: 0 }, meanReward: 1 });
    expect(ends(trial?.id).map(([number, end]) => [number, end])).toEqual([
      [1, 'errored'],
      [2, 'errored'],
      [3, 'verified'],
    ]);
  });

  it('in the verifier judges the same work again and never runs the agent twice', async () => {
    let agents = 0;
    let starts = 0;
    await start({
      agent(...all) {
        agents++;
        return solve(...all);
      },
      start() {
        // The one that is made while the agent works, and the one in its place.
        if (++starts === 2 || starts === 3) throw fault('docker.failed');
      },
    });
    const trial = await finished();
    expect(trial).toMatchObject({ end: 'verified', reward: 1, tries: 2, diff: { files: 1 } });
    expect(agents).toBe(1);
    expect(readFileSync(join(trial?.directory ?? '', 'diff.patch'), 'utf8')).toContain(solutionLine);
  });

  it('that only kept the tests from being made ready costs no try', async () => {
    let starts = 0;
    await start({
      start() {
        if (++starts === 2) throw fault('docker.failed');
      },
    });
    expect(await finished()).toMatchObject({ end: 'verified', reward: 1, tries: 1 });
    expect(starts).toBe(3);
  });

  it('is not tried again where the question is at fault', async () => {
    await start({
      start() {
        throw fault('input.invalid');
      },
    });
    expect(await finished()).toMatchObject({ end: 'errored', tries: 1 });
  });

  it('never takes back a verdict: a failed trial stays as it is when its run is resumed', async () => {
    await start({ agent: () => 0 });
    const trial = await finished();
    expect(trial).toMatchObject({ end: 'verified', reward: 0 });
    expect(await bench.service.resume(trial?.runId ?? '')).toMatchObject({ state: 'finished' });
    expect(bench.store.trials(trial?.runId ?? '')[0]).toEqual(trial);
  });

  it('is waited for with a pause, in which a cancel ends the trial at once', async () => {
    await start({
      start() {
        throw fault('docker.unavailable');
      },
    });
    const runId = await bench.run([{ id: 'nop' }], { retries: 10 });
    await expect.poll(() => bench.store.tries(`${runId}.1`).length).toBeGreaterThan(1);
    expect(await bench.service.cancel(runId)).toMatchObject({ state: 'cancelled' });
    expect(bench.store.trials(runId)[0]).toMatchObject({ end: 'cancelled', phase: 'done' });
  });

  it('that is the end of its server costs a try, as often as it is allowed', async () => {
    await start({});
    const trial = await finished();
    const { store, service } = bench;
    const runId = trial?.runId ?? '';
    const cutOff = (number: number) => {
      store.saveTry(newTry(trial?.id ?? '', number, '2026-01-01T00:00:00.000Z', null));
      if (trial !== undefined) store.saveTrial({ ...trial, phase: 'agent', end: null, reward: null });
      store.setState(runId, 'running', null);
    };
    cutOff(2);
    await service.recover();
    await service.finished(runId);
    expect(store.trials(runId)[0]).toMatchObject({ end: 'verified', reward: 1, tries: 3 });
    cutOff(4);
    await service.recover();
    await service.finished(runId);
    expect(store.trials(runId)[0]).toMatchObject({ end: 'lost', reward: null, tries: 4 });
  });

  it('leaves a run that lacks its key interrupted, until it is resumed with one', async () => {
    await start({});
    const trial = await finished();
    const runId = trial?.runId ?? '';
    const { store, root, home } = bench;
    store.setState(runId, 'running', null);
    if (trial !== undefined) store.saveTrial({ ...trial, phase: 'queued', end: null, reward: null });
    const executor = memoryExecutor({ tests, agent: solve });
    const without = await aBench({ executors: () => [executor], home, keys: () => ({}) });
    await without.service.recover();
    await without.service.finished(runId);
    expect(without.store.run(runId)?.state).toBe('interrupted');
    expect(without.store.events(runId, 0, 1000).some(({ text }) => text.includes(`runs resume ${runId}`))).toBe(true);
    await expect(without.service.resume(runId)).rejects.toMatchObject({ code: 'agent.noKey' });
    await without.service.resume(runId, { OPENAI_API_KEY: 'sk-test-key-that-is-real-enough' });
    expect(await without.service.finished(runId)).toMatchObject({ state: 'finished', meanReward: 1 });
    expect(root).not.toBe(without.root);
    await without.dispose();
  });
});
