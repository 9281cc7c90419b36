import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { traceMigrations } from '../../../../server/traces/schema.ts';
import { SearchIndex } from '../../../../server/traces/search/searchIndex.ts';
import { TraceStore } from '../../../../server/traces/store.ts';
import { type PruneReport, Retention } from '../../../../server/traces/upkeep/retention.ts';
import type { UpkeepTask } from '../../../../server/traces/upkeep/upkeepTask.ts';
import { UsageTotals } from '../../../../server/traces/usage/totals.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { aRecorder, aReply, said } from '../recordedTraffic.ts';

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

/** Has the recorder's own deletions do this before each of their steps but the first. */
function betweenSteps(work: () => void) {
  const { prune, enforce } = Retention.prototype;
  const between = function* (steps: Generator<void, PruneReport>) {
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      work();
      yield;
    }
  };
  vi.spyOn(Retention.prototype, 'prune').mockImplementation(function (this: Retention, ...given) {
    return between(prune.apply(this, given));
  });
  vi.spyOn(Retention.prototype, 'enforce').mockImplementation(function (this: Retention, ...given) {
    return between(enforce.apply(this, given));
  });
  onTestFinished(() => void vi.restoreAllMocks());
}

function sayTo({ record }: Recorder, thread: string, n: number): object {
  const input = [said('user', `${n % 3} `.repeat(200)), said('user', `${n} ${'and more '.repeat(40)}`)];
  record({ request: { model: 'm', input }, response: aReply([]), headers: { 'thread-id': thread } });
  return { model: 'm', input };
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
      // While the newest exchanges are gone and the session is not.
      recorder.record({ request, response: aReply([]), headers: { 'thread-id': 'late' } }, nowMs);
      recorded++;
    }
    while (new SearchIndex(database).advance(10));
    expect(recorded).toBe(1);
    expect([...recorder.store.wholeExchanges('late')].map(exchange => exchange.request)).toEqual([request]);
    expect(recorder.store.search('zebraquokkamarker', 9)).toHaveLength(1);
    database.close();
  });

  it('leaves whole a session that begins at any of its steps, whatever number it gets', () => {
    for (let at = 0, isOver = false; !isOver; at++) {
      const recorder = aRecorder();
      talk(recorder, 'gone', 1);
      const { database, retention } = retentionOf(recorder.file);
      const steps = retention.prune({ kind: 'all' });
      for (let step = 0; step <= at && !isOver; step++) isOver = steps.next().done ?? false;
      const request = sayTo(recorder, 'late', at);
      while (!isOver && !steps.next().done);
      database.close();
      const requests = [...recorder.store.wholeExchanges('late')].map(exchange => exchange.request);
      expect([at, requests]).toEqual([at, [request]]);
      recorder.stop();
    }
  });

  it.each<[string, UpkeepTask]>([
    ['some', { kind: 'prune', selection: { kind: 'sessions', ids: ['s9', 's8', 's1'] } }],
    ['those of before', { kind: 'prune', selection: { kind: 'before', atMs: Date.now() - 3.5 * dayMs } }],
    ['all', { kind: 'prune', selection: { kind: 'all' } }],
    ['by age', { kind: 'retain', limits: { keepDays: 4, maxMegabytes: 0 } }],
    ['by size', { kind: 'retain', limits: { keepDays: 0, maxMegabytes: 0.1 } }],
  ])('leaves whole whatever is recorded between any two steps: %s', async (_, task) => {
    const recorder = aRecorder();
    for (let n = 0; n < 10; n++) talk(recorder, `s${n}`, 3, Date.now() - (10 - n) * dayMs, `${n % 3} `.repeat(200));
    const sent = new Map<string, object[]>();
    let times = 0;
    betweenSteps(() => {
      const thread = times % 4 === 3 ? 's9' : `late${times % 40}`;
      if (times < 100) sent.set(thread, [...(sent.get(thread) ?? []), sayTo(recorder, thread, times)]);
      times++;
    });
    expect(await recorder.upkeep(task)).not.toBeNull();
    expect(times).toBeGreaterThan(3);
    for (const [thread, requests] of sent) {
      const read = [...recorder.store.wholeExchanges(thread)].map(exchange => exchange.request);
      expect([thread, read.slice(-requests.length)]).toEqual([thread, requests]);
    }
    for (const { id, exchanges } of recorder.store.newest({ limit: 1000 }).rows) {
      expect([...recorder.store.wholeExchanges(id)]).toHaveLength(exchanges);
    }
    recorder.stop();
    const database = new Database(recorder.file, { readonly: true });
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(database.pragma('foreign_key_check')).toEqual([]);
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

  it('goes on where a stored part is damaged, for the others and in the end for that one', () => {
    const recorder = aRecorder();
    for (const thread of ['damaged', 'whole', 'kept']) talk(recorder, thread, 3, nowMs, `${thread} `.repeat(60));
    const { database, retention, run, count } = retentionOf(recorder.file);
    database.exec(`UPDATE items SET content = zeroblob(length(content)) WHERE last_item = 1;
      UPDATE sessions SET title = x'00ff', ended_ms = 9e15 WHERE id = 'damaged';
      UPDATE exchanges SET ts_ms = 9e15, cost_kind = 'odd', input_tokens = x'00' WHERE session_id = 'damaged'`);
    const gone = (ids: readonly string[]) => run(retention.prune({ kind: 'sessions', ids }));
    expect(gone(['whole'])).toMatchObject({ sessions: 1, exchanges: 3 });
    expect(gone(['damaged'])).toMatchObject({ sessions: 1, exchanges: 3 });
    expect([...recorder.store.wholeExchanges('kept')]).toHaveLength(3);
    expect(run(retention.prune({ kind: 'all' }))).toMatchObject({ sessions: 1 });
    for (const table of ['items', 'item_hashes', 'item_uses', 'heads', 'said', 'usage_totals']) {
      expect([table, count(table)]).toEqual([table, 0]);
    }
  });

  it('leaves what was spent counted on its day, and takes it out of all other sums', () => {
    const recorder = aRecorder();
    talk(recorder, 'gone', 150);
    talk(recorder, 'gone', 2, nowMs + dayMs);
    talk(recorder, 'kept', 1);
    const { database, retention } = retentionOf(recorder.file);
    database.exec(
      "UPDATE exchanges SET cost_usd = 0.5, cost_kind = iif(session_id = 'gone' AND ts_ms % 3 = 0, 'replay', 'priced')",
    );
    const totals = new UsageTotals(database);
    for (const id of ['gone', 'kept']) totals.recount(id);
    const days = ['2026-06-01', '2026-06-02', '2026-06-03'];
    const spent = () => days.map(day => recorder.store.spentOnDay(day));
    const before = spent();
    expect(before.map(({ tokens }) => tokens)).toEqual([101 * 15, 15, 0]);
    const steps = retention.prune({ kind: 'sessions', ids: ['gone'] });
    for (let step = steps.next(); !step.done; step = steps.next()) expect(spent()).toEqual(before);
    expect(spent()).toEqual(before);
    expect(recorder.store.stats({ by: [], sinceMs: null })).toMatchObject([{ sessions: 1, exchanges: 1 }]);
    expect(recorder.store.spentSince(nowMs).exchanges).toBe(1);
    expect(recorder.store.spentInSession('gone')).toEqual({ tokens: 0, usd: 0 });
    expect(days.map(day => recorder.store.deletedOnDay(day).tokens)).toEqual([100 * 15, 15, 0]);
  });

  it('gives no number to two exchanges, so that a reader that follows them misses none', () => {
    const recorder = aRecorder();
    for (const thread of ['a', 'b', 'c']) talk(recorder, thread, 1);
    const { store } = recorder;
    const cursor = store.lastCursor();
    const { retention, run } = retentionOf(recorder.file);
    run(retention.prune({ kind: 'sessions', ids: ['b', 'c'] }));
    expect(store.lastCursor()).toBe(cursor);
    for (const thread of ['d', 'e']) talk(recorder, thread, 1);
    const { rows, next } = store.storedAfter(cursor, null);
    expect([rows.map(row => row.sessionId), next]).toEqual([['d', 'e'], store.lastCursor()]);
    run(retention.prune({ kind: 'all' }));
    talk(recorder, 'f', 1);
    expect(store.storedAfter(next, null).rows.map(row => row.sessionId)).toEqual(['f']);
  });

  it('counts and numbers on in a database that did not', () => {
    const file = join(temporaryDirectory(), 'traces.sqlite3');
    const old = new Database(file);
    for (const migration of traceMigrations.slice(0, 2)) old.exec(migration);
    old.pragma('user_version = 2');
    old.exec(`
      INSERT INTO sessions (id, started_ms, ended_ms, seq) VALUES ('a', 0, ${nowMs}, 1);
      INSERT INTO exchanges (seq, id, session_id, ts_ms, method, url, upstream_host, dialect, transport, input_tokens,
        output_tokens, cost_usd, cost_kind, extra_json)
      VALUES (7, 'e7', 'a', ${nowMs}, 'POST', 'u', 'h', 'responses', 'sse', 10, NULL, 2, 'priced', '{}');
      INSERT INTO usage_totals VALUES (1, '2026-06-01', '', 'priced', 1, 10, NULL, NULL, NULL, NULL, 2);
      UPDATE indexed SET through_seq = 9`);
    old.close();
    const store = new TraceStore(file);
    const spent = { tokens: 10, usd: 2 };
    expect([store.spentOnDay('2026-06-01'), store.lastCursor()]).toEqual([spent, 9]);
    const { database, retention, run, count } = retentionOf(file);
    run(retention.prune({ kind: 'all' }));
    expect([store.spentOnDay('2026-06-01'), store.lastCursor(), count('exchanges')]).toEqual([spent, 9, 0]);
    database.close();
    store.dispose();
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

  it('merges the index twice at most, however many sessions are too much, and deletes none that would fit', () => {
    const recorder = aRecorder();
    const words = () => Array.from({ length: 900 }, () => Math.random().toString(36).slice(2, 8)).join(' ');
    for (let session = 0; session < 60; session++)
      talk(recorder, `s${session}`, 2, nowMs - 9 * dayMs + session, words());
    const { retention, run, database } = retentionOf(recorder.file);
    while (new SearchIndex(database).advance(10));
    const used = () => {
      const [pages, free] = ['page_count', 'freelist_count'].map(name => database.pragma(name, { simple: true }));
      return ((pages as number) - (free as number)) * 4096;
    };
    const merges = vi.spyOn(database, 'prepare');
    const maxMegabytes = used() / 2 / 1024 / 1024;
    const { sessions } = run(retention.enforce({ keepDays: 0, maxMegabytes }, nowMs));
    expect(merges.mock.calls.filter(([sql]) => sql.includes("'merge'"))).toHaveLength(2);
    expect(used() / 1024 / 1024).toBeLessThanOrEqual(maxMegabytes);
    expect(used() / 1024 / 1024).toBeGreaterThan(maxMegabytes * 0.85);
    expect(sessions).toBeGreaterThan(20);
    expect(recorder.store.newest({ limit: 100 }).rows.at(-1)?.id).toBe(`s${sessions}`);
    expect(run(retention.enforce({ keepDays: 0, maxMegabytes }, nowMs))).toMatchObject({ sessions: 0 });
  });

  it('finds what a session that goes on meanwhile says again, and nothing of what it does not', () => {
    const recorder = aRecorder();
    const say = (thread: string, input: object[], reply: string) => {
      const response = aReply([said('assistant', reply)]);
      recorder.record({ request: { model: 'm', input }, response, headers: { 'thread-id': thread } });
    };
    const history = [said('user', 'zebra question'), said('assistant', 'giraffe answer')];
    say('first', [said('user', 'hello')], 'hi');
    say('on', [said('user', 'walrus aside')], 'none');
    say('on', history.slice(0, 1), 'giraffe answer');
    const { database, retention } = retentionOf(recorder.file);
    while (new SearchIndex(database).advance(10));
    const steps = retention.prune({ kind: 'sessions', ids: ['first', 'on'] });
    steps.next();
    say('on', [...history, said('user', 'next')], 'lion');
    const [kept] = recorder.store.exchangesOfSession('on').slice(-1);
    while (!steps.next().done);
    while (new SearchIndex(database).advance(10));
    const found = (word: string) => recorder.store.search(word, 9).map(({ exchangeId }) => exchangeId);
    expect(recorder.store.exchangesOfSession('on')).toEqual([kept]);
    for (const word of ['zebra', 'giraffe', 'next', 'lion']) expect([word, found(word)]).toEqual([word, [kept?.id]]);
    expect([found('walrus'), found('hello')]).toEqual([[], []]);
    const rows = database.prepare('SELECT count(*) FROM said_text').pluck().get();
    expect(rows).toBe(4);
    database.close();
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
