import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { type PruneReport, Retention } from '../../../server/traces/retention.ts';
import { SearchIndex } from '../../../server/traces/searchIndex.ts';
import { aRecorder, aReply, said } from './recordedTraffic.ts';

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 5, 1);

type Recorder = ReturnType<typeof aRecorder>;

function talk({ record }: Recorder, thread: string, turns: number, atMs = nowMs, common = 'common '.repeat(60)) {
  const history: object[] = [said('user', common)];
  for (let turn = 0; turn < turns; turn++) {
    record(
      { request: { model: 'm', input: history }, response: aReply([]), headers: { 'thread-id': thread } },
      atMs + turn,
    );
    history.push(said('assistant', `${thread} ${turn} ${'long '.repeat(50)}`));
  }
}

/** Does the work at once, with steps counted, on a connection of its own. */
function retentionOf(file: string) {
  const database = new Database(file);
  database.pragma('foreign_keys = ON');
  const forgotten: string[] = [];
  const retention = new Retention(database, new SearchIndex(database), ids => forgotten.push(...ids));
  const run = (steps: Generator<void, PruneReport>): PruneReport => {
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  };
  const count = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
  return { database, retention, run, count, forgotten };
}

describe('deleting sessions', () => {
  it('leaves none of their words in the files', () => {
    const recorder = aRecorder();
    talk(recorder, 'kept', 3);
    const request = { model: 'm', input: [said('user', 'Please keep zebraquokkamarker private')] };
    const headers = { 'thread-id': 'gone' };
    recorder.record({ request, response: aReply([said('assistant', 'Yes: zebraquokkamarker.')]), headers }, nowMs);
    const { database, retention, run } = retentionOf(recorder.file);
    while (new SearchIndex(database).advance(10));
    const holding = () =>
      ['', '-wal'].filter(end => readFileSync(`${recorder.file}${end}`).includes('zebraquokkamarker'));
    expect(holding()).not.toEqual([]);
    run(retention.prune({ kind: 'sessions', ids: ['gone'] }));
    expect(recorder.store.search('zebraquokkamarker', 9)).toEqual([]);
    expect(holding()).toEqual([]);
    database.close();
  });

  it('leaves whole what is recorded between two of its steps', () => {
    const recorder = aRecorder();
    talk(recorder, 'kept', 1);
    talk(recorder, 'gone', 5);
    const { database, retention, count } = retentionOf(recorder.file);
    const common = said('user', 'common '.repeat(60));
    const request = { model: 'm', input: [common, said('user', `zebraquokkamarker ${'and more '.repeat(40)}`)] };
    let recorded = 0;
    const steps = retention.prune({ kind: 'sessions', ids: ['gone'] });
    for (let step = steps.next(); !step.done; step = steps.next()) {
      if (count('exchanges') > 1 + recorded || recorded > 0) continue;
      // The newest numbers are free again.
      recorder.record({ request, response: aReply([]), headers: { 'thread-id': 'late' } }, nowMs);
      recorded++;
    }
    while (new SearchIndex(database).advance(10));
    expect(recorded).toBe(1);
    expect([...recorder.store.wholeExchanges('late')].map(exchange => exchange.request)).toEqual([request]);
    expect(recorder.store.search('zebraquokkamarker', 9)).toHaveLength(1);
    database.close();
  });

  it('takes everything that only they used, and nothing that others use', () => {
    const recorder = aRecorder();
    talk(recorder, 'gone', 5);
    talk(recorder, 'kept', 5);
    const readKept = () => [...recorder.store.wholeExchanges('kept')];
    const kept = readKept();
    const { retention, run, count, forgotten } = retentionOf(recorder.file);
    expect(run(retention.prune({ kind: 'sessions', ids: ['gone', 'never'] }))).toMatchObject({
      sessions: 1,
      exchanges: 5,
    });
    expect(forgotten).toEqual(['gone']);
    expect(readKept()).toEqual(kept);
    expect(recorder.store.session('gone')).toBeNull();
    expect(recorder.store.newest({ limit: 9 }).rows.map(row => row.id)).toEqual(['kept']);
    expect(recorder.store.search('gone', 9)).toEqual([]);
    expect(recorder.store.search('kept', 9)).not.toEqual([]);
    expect(run(retention.prune({ kind: 'all' }))).toMatchObject({ sessions: 1, exchanges: 5 });
    for (const table of [
      'sessions',
      'exchanges',
      'items',
      'item_hashes',
      'heads',
      'item_uses',
      'said',
      'said_text',
      'usage_totals',
    ]) {
      expect([table, count(table)]).toEqual([table, 0]);
    }
  });

  it('goes by age and leaves what is younger', () => {
    const recorder = aRecorder();
    talk(recorder, 'old', 2, nowMs - 31 * dayMs);
    talk(recorder, 'young', 2, nowMs - 29 * dayMs);
    const { retention, run } = retentionOf(recorder.file);
    expect(run(retention.enforce({ keepDays: 0, maxMegabytes: 0 }, nowMs))).toMatchObject({ sessions: 0 });
    expect(run(retention.enforce({ keepDays: 30, maxMegabytes: 0 }, nowMs))).toMatchObject({
      sessions: 1,
      exchanges: 2,
    });
    expect(recorder.store.newest({ limit: 9 }).rows.map(row => row.id)).toEqual(['young']);
  });

  it('goes by size, the oldest first, and spares what is under way', () => {
    const recorder = aRecorder();
    // Random text does not compress: about 1.5 MB each.
    const noise = () =>
      Array.from({ length: 24_000 }, () => Math.random().toString(36))
        .join('')
        .slice(0, 280_000);
    for (const [index, thread] of ['a', 'b', 'c', 'running'].entries()) {
      for (let part = 0; part < 6; part++) talk(recorder, thread, 1, nowMs - (3 - index) * dayMs + part, noise());
    }
    const { retention, run, database } = retentionOf(recorder.file);
    run(retention.enforce({ keepDays: 0, maxMegabytes: 3 }, nowMs));
    expect(recorder.store.newest({ limit: 9 }).rows.map(row => row.id)).toEqual(['running', 'c']);
    run(retention.enforce({ keepDays: 0, maxMegabytes: 1 }, nowMs));
    expect(recorder.store.newest({ limit: 9 }).rows.map(row => row.id)).toEqual(['running']);
    const pages = database.pragma('page_count', { simple: true }) as number;
    expect(pages * 4096).toBeLessThan(3 * 1024 * 1024);
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  });

  it('leaves a session that goes on meanwhile whole, and what is said next readable', async () => {
    const recorder = aRecorder();
    talk(recorder, 'a', 3);
    const report = await recorder.upkeep({ kind: 'prune', selection: { kind: 'all' } });
    expect(report).toMatchObject({ sessions: 1, exchanges: 3 });
    talk(recorder, 'a', 4);
    expect(recorder.store.session('a')).toMatchObject({ exchanges: 4 });
    expect(recorder.store.conversation('a')).toHaveLength(4);
  });

  it('finishes what a crash interrupted', () => {
    const recorder = aRecorder();
    talk(recorder, 'a', 5);
    const first = retentionOf(recorder.file);
    const steps = first.retention.prune({ kind: 'all' });
    // Killed after the session itself went and before its items did.
    while (recorder.store.session('a') !== null) steps.next();
    expect(first.count('items')).toBeGreaterThan(0);
    const { retention, run, count } = retentionOf(recorder.file);
    run(retention.enforce({ keepDays: 0, maxMegabytes: 0 }, nowMs));
    expect([count('items'), count('item_uses')]).toEqual([0, 0]);
  });

  it('compacts an older database that cannot give single pages back', () => {
    const recorder = aRecorder();
    const noise = Array.from({ length: 20_000 }, () => Math.random().toString(36)).join(' ');
    talk(recorder, 'a', 40, nowMs, noise);
    recorder.stop();
    const { database, retention, run } = retentionOf(recorder.file);
    recorder.store.dispose();
    database.pragma('auto_vacuum = NONE');
    database.exec('VACUUM');
    expect(database.pragma('auto_vacuum', { simple: true })).toBe(0);
    run(retention.prune({ kind: 'all' }));
    expect(database.pragma('auto_vacuum', { simple: true })).toBe(2);
    expect(database.pragma('freelist_count', { simple: true })).toBe(0);
  });
});
