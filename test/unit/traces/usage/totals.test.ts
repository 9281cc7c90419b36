import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { traceMigrations } from '../../../../server/traces/schema.ts';
import { wholeSession } from '../../../../server/traces/sessions/sessionReader.ts';
import { reportOf } from '../../../../server/traces/sessions/sessionReport.ts';
import { type ExchangeRow, TraceWriter } from '../../../../server/traces/storage/traceWriter.ts';
import { TraceStore } from '../../../../server/traces/store.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { anOrigin, aRecorder, aReply, said, sse } from '../recordedTraffic.ts';

const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 0, 1);

/** What a plain GROUP BY over all exchanges says. */
const naive = `
  SELECT sessions.seq AS session_seq, date(ts_ms / 1000, 'unixepoch') AS day, coalesce(model, '') AS model, cost_kind,
    count(*) AS exchanges, sum(input_tokens IS NULL AND output_tokens IS NULL) AS without_usage,
    sum(input_tokens) AS input_tokens, sum(cached_input_tokens) AS cached_input_tokens,
    sum(cache_write_tokens) AS cache_write_tokens, sum(output_tokens) AS output_tokens,
    sum(reasoning_tokens) AS reasoning_tokens, round(sum(cost_usd), 6) AS cost_usd
  FROM exchanges JOIN sessions ON sessions.id = session_id GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`;
const kept = `
  SELECT session_seq, day, model, cost_kind, exchanges, without_usage, input_tokens, cached_input_tokens, cache_write_tokens,
    output_tokens, reasoning_tokens, round(cost_usd, 6) AS cost_usd
  FROM usage_totals ORDER BY 1, 2, 3, 4`;

const figure = fc.option(fc.nat(5000), { nil: null });
const anExchange = fc.record({
  sessionId: fc.constantFrom('a', 'b', 'c'),
  day: fc.nat(3),
  model: fc.constantFrom(null, 'gpt-5.5', 'gpt-5-mini'),
  usage: fc.record({
    inputTokens: figure,
    cachedInputTokens: figure,
    outputTokens: figure,
    reasoningTokens: figure,
  }),
  cacheWriteTokens: figure,
  cost: fc.oneof(
    fc.record({ amountUsd: fc.nat(100).map(cents => cents / 100), kind: fc.constant('priced' as const) }),
    fc.record({ amountUsd: fc.constant(null), kind: fc.constantFrom('unpriced' as const, 'subscription' as const) }),
  ),
});

function aRow(changes: Partial<ExchangeRow>): ExchangeRow {
  return {
    ...{ id: 'e', sessionId: 'a', launchId: null, trialId: null, startedAtMs: startMs, durationMs: 1 },
    ...{ firstByteMs: null, method: 'POST', url: 'https://api.openai.com/v1/responses' },
    ...{ upstreamHost: 'api.openai.com', status: 200, dialect: 'responses', transport: 'sse', model: 'm' },
    usage: { inputTokens: null, cachedInputTokens: null, outputTokens: null, reasoningTokens: null },
    ...{ cacheWriteTokens: null, cost: { amountUsd: null, kind: 'none' }, price: null, turnId: null, attempt: 1 },
    ...{ error: null, requestJson: null, requestHead: null, responseJson: null, responseHead: null },
    ...{ extraJson: '{}', extraHead: null },
    ...{ requestVerbatim: null, responseEvents: null, requestBytes: 0, responseBytes: 0 },
    ...changes,
  };
}

function aSession(id: string, atMs: number) {
  return {
    id,
    agent: null,
    userAgent: null,
    title: '',
    repository: null,
    directory: null,
    purpose: null,
    startedAtMs: atMs,
    endedAtMs: atMs,
  };
}

describe('totals', () => {
  it('are what a plain sum over all exchanges gives, whatever was reported and whatever was not', () => {
    const file = join(temporaryDirectory(), 'traces.sqlite3');
    const writer = new TraceWriter(file);
    let last = 0;
    fc.assert(
      fc.property(fc.array(anExchange, { minLength: 1, maxLength: 12 }), exchanges => {
        writer.transaction(() => {
          writer.database.exec('DELETE FROM exchanges; DELETE FROM usage_totals; DELETE FROM sessions');
          for (const { day, ...changes } of exchanges) {
            const startedAtMs = startMs + day * dayMs;
            writer.exchange(
              aSession(changes.sessionId, startedAtMs),
              aRow({ id: `e${++last}`, startedAtMs, ...changes }),
            );
          }
        });
        expect(writer.database.prepare(kept).all()).toEqual(writer.database.prepare(naive).all());
      }),
      { numRuns: 200 },
    );
    writer.close();
  });

  it('are as before after a write that was taken back', () => {
    const writer = new TraceWriter(join(temporaryDirectory(), 'traces.sqlite3'));
    const price = { source: 's', provider: 'p', model: 'm', rates: { input_mtok: 1 } };
    const cost = { amountUsd: 1, kind: 'priced' as const };
    const write = (id: string, title: string) =>
      writer.exchange({ ...aSession('a', startMs), title }, aRow({ id, price, cost, startedAtMs: startMs }));
    const broken = () =>
      writer.transaction(() => {
        write('e1', 'Taken back');
        write('e2', '');
        throw new Error('taken back');
      });
    expect(broken).toThrow('taken back');
    writer.transaction(() => write('e3', ''));
    writer.transaction(() => {
      write('e4', '');
      write('e5', 'Kept');
    });
    expect(writer.database.prepare(kept).all()).toEqual(writer.database.prepare(naive).all());
    expect(writer.database.prepare(kept).all()).toMatchObject([{ exchanges: 3, cost_usd: 3 }]);
    expect(writer.database.prepare('SELECT title FROM sessions').pluck().all()).toEqual(['Kept']);
    const priced = 'SELECT count(*) FROM exchanges JOIN prices ON prices.id = price_id';
    expect(writer.database.prepare(priced).pluck().get()).toBe(3);
    writer.close();
  });

  it('tell a figure that nothing reported apart from zero', () => {
    const { record, store } = aRecorder();
    const headers = { 'thread-id': 'a' };
    record({ request: { model: 'm', input: 'x' }, response: '{"error":{"message":"no"}}', headers, status: 500 });
    const nothing = { inputTokens: null, outputTokens: null, cachedInputTokens: null, reasoningTokens: null };
    expect(store.session('a')).toMatchObject({ exchanges: 1, usage: nothing, cost: { amountUsd: null, kind: 'none' } });
    const usage = { input_tokens: 0, input_tokens_details: { cached_tokens: 0 }, output_tokens: 0 };
    record({ request: { model: 'm', input: 'x' }, response: aReply([], usage), headers });
    expect(store.session('a')?.usage).toMatchObject({ inputTokens: 0, cachedInputTokens: 0, reasoningTokens: null });
  });

  it('count a request once, also in a conversation that goes on or branches off and repeats what was said', () => {
    const { record, store } = aRecorder();
    const history: object[] = [said('user', 'Make it green')];
    const usage = { input_tokens: 100, input_tokens_details: { cached_tokens: 40 }, output_tokens: 10 };
    const turn = (thread: string) => {
      record({
        request: { model: 'gpt-5.5', input: history },
        response: aReply([said('assistant', `Answer ${history.length}`)], usage),
        headers: { 'thread-id': thread },
      });
      history.push(said('assistant', `Answer ${history.length}`), said('user', `More ${history.length}`));
    };
    for (const thread of ['first', 'first', 'fork', 'first', 'fork']) turn(thread);
    expect(store.session('first')).toMatchObject({ exchanges: 3, usage: { inputTokens: 300, cachedInputTokens: 120 } });
    expect(store.session('fork')).toMatchObject({ exchanges: 2, usage: { inputTokens: 200, cachedInputTokens: 80 } });
    expect(store.stats({ by: ['model'], sinceMs: null })).toMatchObject([
      { model: 'gpt-5.5', sessions: 2, exchanges: 5, usage: { inputTokens: 500, outputTokens: 50 } },
    ]);
  });

  it('count what told nothing, whatever was told beside it, and not a reply that came once more', () => {
    const { record, store } = aRecorder();
    const said0 = { input_tokens: 0, output_tokens: 0 };
    const ask = (turn: string, traffic: { response: string; status?: number }) => {
      const headers = { 'thread-id': 'a', 'x-codex-turn-metadata': JSON.stringify({ turn_id: turn }) };
      record({ request: { model: 'm', input: turn }, headers, ...traffic }, startMs);
    };
    ask('warm up', { response: aReply([], said0) });
    for (const turn of ['one', 'two']) ask(turn, { response: aReply([], {}) });
    ask('three', { response: '{"error":{"message":"slow down"}}', status: 429 });
    ask('three', { response: aReply([], {}) });
    const cut = { id: 'resp_1', status: 'failed', error: { message: 'x' }, output: [], usage: said0 };
    const again = sse({ type: 'response.failed', response: { ...cut, usage: { input_tokens: 5, output_tokens: 1 } } });
    for (let attempt = 0; attempt < 2; attempt++) ask('four', { response: again });
    expect(store.exchangesOfSession('a').map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1, 2, 1, 2]);
    expect(store.stats({ by: ['session'], sinceMs: null })).toMatchObject([{ exchanges: 7, withoutUsage: 4 }]);
    expect(reportOf(wholeSession(store, 'a')).withoutUsage).toBe(3);
  });

  it('count it in what was stored before that was counted', () => {
    const file = join(temporaryDirectory(), 'traces.sqlite3');
    const old = new Database(file);
    for (const migration of traceMigrations.slice(0, 3)) old.exec(migration);
    old.pragma('user_version = 3');
    old.exec(`INSERT INTO sessions (id, started_ms, ended_ms, seq) VALUES ('a', 0, 0, 1), ('b', 0, 0, 2)`);
    const exchange = old.prepare(
      `INSERT INTO exchanges (id, session_id, ts_ms, method, url, upstream_host, dialect, transport, input_tokens,
         output_tokens, cost_kind, extra_json)
       VALUES (?, ?, ${startMs}, 'POST', 'u', 'h', 'responses', 'sse', ?, ?, 'none', '{}')`,
    );
    for (const [id, session, tokens] of [
      ['1', 'a', 0],
      ['2', 'a', null],
      ['3', 'a', null],
      ['4', 'b', null],
    ] as const) {
      exchange.run(id, session, tokens, tokens);
    }
    old.exec(`INSERT INTO usage_totals VALUES (1, '2026-01-01', '', 'none', 3, 0, NULL, NULL, 0, NULL, NULL),
      (2, '2026-01-01', '', 'none', 1, NULL, NULL, NULL, NULL, NULL, NULL)`);
    old.close();
    const store = new TraceStore(file);
    expect(store.stats({ by: ['session'], sinceMs: null })).toMatchObject([{ withoutUsage: 2 }, { withoutUsage: 1 }]);
    store.dispose();
  });

  it('have no figure where a model’s API counted beyond all numbers, and hide no other', () => {
    const { record, store, file } = aRecorder();
    const ask = (thread: string, response: string) =>
      record({ request: { model: 'm', input: 'x' }, response, headers: { 'thread-id': thread } }, startMs);
    ask('right', aReply([]));
    const beyond = '18446744073709551615';
    ask('wrong', aReply([]).replace('"input_tokens":10', `"input_tokens":${beyond}`));
    ask('negative', aReply([], { input_tokens: -1, output_tokens: 5 }));
    const told = () => ['right', 'wrong', 'negative'].map(id => store.session(id)?.usage.inputTokens);
    expect(told()).toEqual([10, null, null]);
    expect(store.spentOnDay('2026-01-01').tokens).toBe(25);
    // As an earlier version stored it.
    const database = new Database(file);
    for (const table of ['exchanges', 'usage_totals']) {
      database.exec(`UPDATE ${table} SET input_tokens = ${beyond} WHERE input_tokens IS NULL`);
    }
    database.close();
    expect(told()).toEqual([10, null, null]);
    expect(store.exchangesOfSession('wrong')).toMatchObject([{ usage: { inputTokens: null, outputTokens: 5 } }]);
    expect(store.storedAfter(0, null).rows).toHaveLength(3);
    expect(store.stats({ by: ['model'], sinceMs: null })).toMatchObject([
      { exchanges: 3, usage: { outputTokens: 15 } },
    ]);
    expect(store.spentSince(startMs)).toMatchObject({ exchanges: 3, usage: { inputTokens: null, outputTokens: 15 } });
  });

  it('leave out what a recording answered, in figures of use only', () => {
    const { record, store } = aRecorder();
    const replayed = anOrigin({ launch: { id: 'l', agent: 'codex', label: null, trialId: null, replay: true } });
    const usage = { input_tokens: 100, output_tokens: 10 };
    const request = { model: 'gpt-5.5', input: [said('user', 'Hi')] };
    record({ request, response: aReply([], usage), headers: { 'thread-id': 'first' } }, startMs);
    record({ request, response: aReply([], usage), headers: { 'thread-id': 'again' } }, startMs, replayed);
    const refused = { request, response: '{"error":{"message":"no"}}', headers: { 'thread-id': 'again' }, status: 400 };
    record(refused, startMs, replayed);
    expect(store.session('again')).toMatchObject({
      exchanges: 2,
      usage: { inputTokens: 100 },
      cost: { kind: 'replay' },
    });
    expect(store.stats({ by: ['agent'], sinceMs: null })).toMatchObject([
      { sessions: 1, exchanges: 1, usage: { inputTokens: 100, outputTokens: 10 } },
    ]);
    expect(store.spentSince(startMs - 1000)).toMatchObject({ exchanges: 1, usage: { inputTokens: 100 } });
  });

  it('are made from the exchanges of a database that kept none', () => {
    const file = join(temporaryDirectory(), 'traces.sqlite3');
    const old = new Database(file);
    old.exec(traceMigrations[0] ?? '');
    old.pragma('user_version = 1');
    const session = old.prepare('INSERT INTO sessions (id, agent, started_ms, ended_ms) VALUES (?, ?, 0, ?)');
    const exchange = old.prepare(
      `INSERT INTO exchanges (id, session_id, ts_ms, method, url, upstream_host, dialect, transport, model, input_tokens,
         cached_input_tokens, output_tokens, cost_usd, cost_kind, extra_json)
       VALUES (?, ?, ?, 'POST', 'u', 'h', 'responses', 'sse', ?, ?, ?, 5, ?, ?, '{}')`,
    );
    for (let n = 0; n < 40; n++) {
      const id = `s${n % 4}`;
      if (n < 4) session.run(id, n === 0 ? null : 'codex', startMs + n);
      const cost = n % 3 === 0 ? [null, 'unpriced'] : [0.5, 'priced'];
      exchange.run(
        `e${n}`,
        id,
        startMs + (n % 7) * dayMs,
        n % 5 === 0 ? null : 'm',
        n,
        n % 2 === 0 ? null : 1,
        ...cost,
      );
    }
    old.close();
    const store = new TraceStore(file);
    const upgraded = new Database(file, { readonly: true });
    expect(upgraded.prepare(kept).all()).toEqual(upgraded.prepare(naive).all());
    upgraded.close();
    expect(store.stats({ by: ['agent'], sinceMs: null })).toMatchObject([
      { agent: null, sessions: 1, exchanges: 10, cost: { amountUsd: 3, kind: 'unpriced' } },
      { agent: 'codex', sessions: 3, exchanges: 30 },
    ]);
    expect(store.newest({ limit: 9 }).rows.map(row => row.exchanges)).toEqual([10, 10, 10, 10]);
    store.dispose();
  });

  it('are grouped by whatever is asked for, newest day first', () => {
    const { record, store } = aRecorder();
    const traffic = (thread: string, model: string) => ({
      request: { model, input: [said('user', `<environment_context><cwd>/r/${thread}</cwd></environment_context>`)] },
      response: aReply([]),
      headers: { 'thread-id': thread, 'user-agent': 'codex_exec' },
    });
    record(traffic('a', 'm1'), startMs);
    record(traffic('a', 'm2'), startMs + dayMs);
    record(traffic('b', 'm1'), startMs + dayMs);
    const rows = (by: Parameters<typeof store.stats>[0]['by'], sinceMs: number | null = null) =>
      store
        .stats({ by, sinceMs })
        .map(({ usage: _, cost: __, withoutUsage: ___, cacheWriteTokens: ____, ...row }) => row);
    expect(rows(['day'])).toEqual([
      { day: '2026-01-02', sessions: 2, exchanges: 2 },
      { day: '2026-01-01', sessions: 1, exchanges: 1 },
    ]);
    expect(rows(['day'], startMs + dayMs + 5)).toHaveLength(1);
    expect(rows(['model', 'session'])).toEqual([
      { model: 'm1', session: 'a', sessions: 1, exchanges: 1 },
      { model: 'm1', session: 'b', sessions: 1, exchanges: 1 },
      { model: 'm2', session: 'a', sessions: 1, exchanges: 1 },
    ]);
    expect(rows(['repository', 'agent'])).toEqual([
      { repository: '/r/a', agent: 'codex', sessions: 1, exchanges: 2 },
      { repository: '/r/b', agent: 'codex', sessions: 1, exchanges: 1 },
    ]);
    expect(store.newest({ limit: 9, model: 'm2' }).rows.map(row => row.id)).toEqual(['a']);
    expect(store.newest({ limit: 9, repository: '/r' }).rows.map(row => row.id)).toEqual(['b', 'a']);
    expect(store.newest({ limit: 9, repository: '/r/b', agent: 'codex' }).rows.map(row => row.id)).toEqual(['b']);
    expect(store.newest({ limit: 9, sinceMs: startMs + 2 * dayMs }).rows).toEqual([]);
    expect(store.stats({ by: ['day'], sinceMs: null, untilMs: startMs })).toMatchObject([{ day: '2026-01-01' }]);
    expect(rows(['week', 'agent'])).toEqual([{ week: '2025-12-29', agent: 'codex', sessions: 2, exchanges: 3 }]);
    record(traffic('c', 'm1'), startMs + 4 * dayMs);
    expect(rows(['week'])).toEqual([
      { week: '2026-01-05', sessions: 1, exchanges: 1 },
      { week: '2025-12-29', sessions: 2, exchanges: 3 },
    ]);
    expect(rows(['month'])).toEqual([{ month: '2026-01', sessions: 3, exchanges: 4 }]);
    expect(rows(['day'], startMs + 4 * dayMs)).toEqual([{ day: '2026-01-05', sessions: 1, exchanges: 1 }]);
  });
});
