import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../server/base/clock.ts';
import { type RunRecord, RunStore } from '../../../server/bench/runStore.ts';
import { aRun, aTrial } from '../../fakes/scriptedRun.ts';
import { temporaryDirectory } from '../../integration/executorsFixture.ts';

const line = { trialId: null, kind: 'log', phase: null, text: 'x', usage: null } as const;

describe('the store of runs', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let store: RunStore;
  const open = () => new RunStore(join(directory.path, 'coach.sqlite3'), systemClock);

  beforeEach(() => {
    directory = temporaryDirectory('runs');
    store = open();
  });
  afterEach(() => {
    store.dispose();
    directory.dispose();
  });

  const aRecord = (changes: Partial<RunRecord> = {}): RunRecord => aRun(changes);

  it('sums up a run from its trials', () => {
    const usage = { inputTokens: 10, cachedInputTokens: null, outputTokens: 1, reasoningTokens: null };
    store.create(aRecord(), [
      aTrial({ id: 'a', phase: 'done', end: 'verified', reward: 1, usage, cost: { amountUsd: 0.5, kind: 'priced' } }),
      aTrial({ id: 'b', phase: 'done', end: 'errored', reward: null, usage, cost: { amountUsd: null, kind: 'none' } }),
      aTrial({ id: 'c', phase: 'done', end: 'verified', reward: 0, cost: { amountUsd: 0.25, kind: 'priced' } }),
      aTrial({ id: 'd', phase: 'agent' }),
    ]);
    expect(store.run('run-1')).toMatchObject({
      trialCounts: { total: 4, done: 3, errored: 1 },
      meanReward: 0.5,
      usage: { inputTokens: 20, outputTokens: 2 },
    });
    expect(store.trials('run-1').map(trial => trial.id)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('numbers the lines of a journal without a gap, and keeps them over a restart', () => {
    store.create(aRecord(), []);
    store.append('run-1', [line, { ...line, text: 'y' }]);
    store.dispose();
    store = open();
    store.append('run-1', [{ ...line, text: 'z' }]);
    expect(store.events('run-1', 1, 10).map(({ seq, text }) => [seq, text])).toEqual([
      [2, 'y'],
      [3, 'z'],
    ]);
  });

  it('lists runs newest first, of one repository or of all', () => {
    store.create(aRecord({ id: 'one', repository: '/a', createdAt: '2026-01-01T00:00:00.000Z' }), []);
    store.create(aRecord({ id: 'two', repository: '/b', createdAt: '2026-01-02T00:00:00.000Z' }), []);
    store.create(aRecord({ id: 'three', repository: '/a', createdAt: '2026-01-03T00:00:00.000Z' }), []);
    expect(store.list(10).map(run => run.id)).toEqual(['three', 'two', 'one']);
    expect(store.list(10, '/a').map(run => run.id)).toEqual(['three', 'one']);
    expect(store.list(1).map(run => run.id)).toEqual(['three']);
  });

  it('knows which runs a dead server left running', () => {
    store.create(aRecord({ id: 'one', state: 'running' }), []);
    store.create(aRecord({ id: 'two', state: 'finished' }), []);
    expect(store.running().map(run => run.id)).toEqual(['one']);
  });
});
