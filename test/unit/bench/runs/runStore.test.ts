import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TrialSummary } from '../../../../protocol/runs.ts';
import type { TaskProof } from '../../../../protocol/tasks.ts';
import { systemClock } from '../../../../server/base/clock.ts';
import { openDatabase } from '../../../../server/base/sqlite.ts';
import { type RunRecord, RunStore } from '../../../../server/bench/runs/runStore.ts';
import { aRun, aTrial } from '../../../fakes/scriptedRun.ts';
import { temporaryDirectory } from '../../../integration/executorsFixture.ts';

const line = { trialId: null, kind: 'log', phase: null, text: 'x', usage: null } as const;

/** The schema of the first version, as it was. */
const firstSchema = `
  CREATE TABLE runs (id TEXT PRIMARY KEY, repository TEXT NOT NULL, created_at INTEGER NOT NULL, state TEXT NOT NULL,
    run_json TEXT NOT NULL) STRICT;
  CREATE INDEX runs_by_time ON runs (created_at DESC);
  CREATE TABLE trials (id TEXT PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL, trial_json TEXT NOT NULL) STRICT;
  CREATE INDEX trials_by_run ON trials (run_id, position);
  CREATE TABLE run_events (run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, seq INTEGER NOT NULL,
    event_json TEXT NOT NULL, PRIMARY KEY (run_id, seq)) STRICT, WITHOUT ROWID;
  PRAGMA user_version = 1;`;

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

  const create = (run: RunRecord, trials: readonly TrialSummary[]) =>
    store.create(
      run,
      trials.map(trial => ({ trial, fingerprint: null })),
      '{}',
    );

  it('sums up a run from its trials', () => {
    const usage = { inputTokens: 10, cachedInputTokens: null, outputTokens: 1, reasoningTokens: null };
    create(aRecord(), [
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
    create(aRecord(), []);
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
    create(aRecord({ id: 'one', repository: '/a', createdAt: '2026-01-01T00:00:00.000Z' }), []);
    create(aRecord({ id: 'two', repository: '/b', createdAt: '2026-01-02T00:00:00.000Z' }), []);
    create(aRecord({ id: 'three', repository: '/a', createdAt: '2026-01-03T00:00:00.000Z' }), []);
    expect(store.list(10).map(run => run.id)).toEqual(['three', 'two', 'one']);
    expect(store.list(10, '/a').map(run => run.id)).toEqual(['three', 'one']);
    expect(store.list(1).map(run => run.id)).toEqual(['three']);
  });

  it('knows which runs a dead server left running', () => {
    create(aRecord({ id: 'one', state: 'running' }), []);
    create(aRecord({ id: 'two', state: 'finished' }), []);
    expect(store.running().map(run => run.id)).toEqual(['one']);
  });

  it('keeps the runs of the first version, which can be seen and not be gone on with', () => {
    store.dispose();
    const file = join(directory.path, 'first.sqlite3');
    const first = openDatabase(file, { migrations: [firstSchema], synchronous: 'FULL' });
    const { trialCounts: _, meanReward: __, usage: ___, cost: ____, ...record } = aRun({ state: 'finished' });
    const json = JSON.stringify(record);
    first.prepare('INSERT INTO runs VALUES (?, ?, ?, ?, ?)').run('run-1', '/nowhere', 1, 'finished', json);
    const trial = aTrial({ id: 'a', phase: 'done', end: 'verified', reward: 1 });
    first.prepare('INSERT INTO trials VALUES (?, ?, ?, ?)').run('a', 'run-1', 0, JSON.stringify(trial));
    first.close();
    store = new RunStore(file, systemClock);
    expect(store.run('run-1')).toMatchObject({ state: 'finished', meanReward: 1 });
    expect(store.trials('run-1')).toEqual([trial]);
    expect(store.options('run-1')).toBeNull();
    expect(store.fingerprint('a')).toBeNull();
    expect(store.tries('a')).toEqual([]);
  });

  it('keeps what validations found, by the contents of the task, first to last', () => {
    const proof: TaskProof = {
      ...{ reference: 1, noOp: 0, provenAt: '2026-01-01T00:00:00.000Z', executor: 'local', basis: 'tests' },
      ...{ checks: [], quarantined: [], base: null },
    };
    store.addProof({ directory: '/a', digest: 'one', proof });
    store.addProof({ directory: '/a', digest: 'two', proof });
    store.addProof({ directory: '/b', digest: 'one', proof: { ...proof, executor: 'docker' } });
    expect(store.proofs('one').map(({ executor }) => executor)).toEqual(['local', 'docker']);
    expect(store.proofs('three')).toEqual([]);
  });

  it('keeps later verdicts beside each other, in their order', () => {
    create(aRecord(), [aTrial({ id: 'a' })]);
    const regrade = { trialId: 'a', at: '2026-01-01T00:00:00.000Z', before: 1, tests: [], flips: [], error: null };
    store.addRegrade({ ...regrade, after: 0 });
    store.addRegrade({ ...regrade, after: 1 });
    expect(store.regrades('a').map(({ after }) => after)).toEqual([0, 1]);
  });
});
