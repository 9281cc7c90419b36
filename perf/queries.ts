// Statistics and the first page of sessions over a million exchanges, from the totals that the store keeps and, as their
// peer, from a plain GROUP BY over the same rows; and how long deleting sessions holds a write up in such a database.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { SearchIndex } from '../server/traces/search/searchIndex.ts';
import { TraceStore } from '../server/traces/store.ts';
import { Retention } from '../server/traces/upkeep/retention.ts';
import { UsageTotals } from '../server/traces/usage/totals.ts';
import { type Figure, median, toFigure } from './figure.ts';

const exchanges = 1_000_000;
/** As long as the sessions of the storage figures. */
const perSession = 200;
const sessions = exchanges / perSession;
const dayMs = 86_400_000;
const days = 365;
const repeats = 15;
const prunedSessions = 50;

const groupBy = 'GROUP BY over all exchanges';
const goal = `at most 50 ms, a tenth of ${groupBy} (stretch 10 ms)`;

/** Milliseconds, medians of warm runs. */
export async function measureQueries(): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'coach-perf-queries-'));
  const file = join(directory, 'traces.sqlite3');
  try {
    new TraceStore(file).dispose();
    fillSessions(file, sessions, perSession);
    const store = new TraceStore(file);
    const plain = new Database(file, { readonly: true });
    const figures = [statsFigure(store, plain), monthFigure(store), listFigure(store, plain)];
    plain.close();
    store.dispose();
    return [...figures, pruneFigure(file)];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function statsFigure(store: TraceStore, plain: Database.Database): Figure {
  const ask = () => store.stats({ by: ['day', 'model', 'agent'], sinceMs: null });
  const statement = plain.prepare(
    `SELECT date(ts_ms / 1000, 'unixepoch') AS day, model, agent, count(DISTINCT session_id) AS sessions,
       count(*) AS exchanges, sum(input_tokens) AS input, sum(output_tokens) AS output, sum(cost_usd) AS cost
     FROM exchanges JOIN sessions ON sessions.id = session_id GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3`,
  );
  const rows = statement.all() as { sessions: number; exchanges: number; input: number }[];
  const same = ask().every(
    (row, at) =>
      row.exchanges === rows[at]?.exchanges &&
      row.sessions === rows[at]?.sessions &&
      row.usage.inputTokens === rows[at]?.input,
  );
  return compared('stats by day, model and agent, a year of 1,000,000 exchanges', ask, () => statement.all(), {
    void: same && ask().length === rows.length ? null : 'the totals differ from the plain sums',
    note: `${sessions} sessions, ${rows.length} rows`,
  });
}

function monthFigure(store: TraceStore): Figure {
  const sinceMs = Date.now() - 30 * dayMs;
  return toFigure({
    figure: 'stats of the last 30 days of 1,000,000 exchanges',
    unit: 'ms',
    ours: time(() => store.stats({ by: ['day', 'model', 'agent'], sinceMs })),
    goal: 'at most 50 ms (stretch 10)',
    reach: ours => ours <= 50,
  });
}

function listFigure(store: TraceStore, plain: Database.Database): Figure {
  const ask = () => store.newest({ limit: 50 }).rows;
  const statement = plain.prepare(
    `SELECT sessions.id, count(*) AS exchanges, sum(input_tokens) AS input, sum(cost_usd) AS cost
     FROM sessions JOIN exchanges ON session_id = sessions.id
     GROUP BY sessions.id ORDER BY ended_ms DESC, sessions.id DESC LIMIT 50`,
  );
  const rows = statement.all() as { id: string; exchanges: number; input: number }[];
  const same = ask().every(
    ({ id, exchanges: count, usage }, at) =>
      id === rows[at]?.id && count === rows[at]?.exchanges && usage.inputTokens === rows[at]?.input,
  );
  return compared('first page of sessions list over 1,000,000 exchanges', ask, () => statement.all(), {
    void: same ? null : 'the page differs from the plain sums',
    note: `50 of ${sessions} sessions`,
  });
}

function compared(
  figure: string,
  ask: () => unknown,
  plain: () => unknown,
  more: { void: string | null; note: string },
): Figure {
  const [ours, peer] = [time(ask), time(plain, 3)];
  const made = toFigure({ figure, unit: 'ms', ours, peers: { [groupBy]: peer }, goal, reach: ms => ms <= 50, ...more });
  return { ...made, ratio: Number((ours / peer).toPrecision(3)) };
}

/** Every step is one transaction: the longest is what a write may have to wait for. */
function pruneFigure(file: string): Figure {
  const database = new Database(file);
  const retention = new Retention(database, new SearchIndex(database), () => undefined);
  database.exec(`UPDATE indexed SET through_seq = ${exchanges}`);
  const ids = database.prepare(`SELECT id FROM sessions ORDER BY ended_ms LIMIT ${prunedSessions}`).pluck().all();
  const steps = retention.prune({ kind: 'sessions', ids: ids as string[] });
  const times: number[] = [];
  for (let done = false; !done; ) {
    const startedAt = performance.now();
    done = steps.next().done ?? false;
    times.push(performance.now() - startedAt);
  }
  const left = database.prepare('SELECT count(*) FROM exchanges').pluck().get() as number;
  database.close();
  const expected = exchanges - prunedSessions * perSession;
  return toFigure({
    figure: `longest step of deleting ${prunedSessions} of ${sessions} sessions`,
    unit: 'ms',
    ours: Math.max(...times),
    goal: 'at most 50 ms',
    reach: ours => ours <= 50,
    void: left === expected ? null : `${left} exchanges are left instead of ${expected}`,
    note: `${times.length} steps`,
  });
}

function time(work: () => unknown, count = repeats): number {
  const times = Array.from({ length: count }, () => {
    const startedAt = performance.now();
    work();
    return performance.now() - startedAt;
  });
  return median(times);
}

/** Sessions of a year, each with so many exchanges, in a database that has none yet. Nothing was said in them. */
export function fillSessions(file: string, count: number, each: number): void {
  const database = new Database(file);
  database.pragma('synchronous = OFF');
  const startMs = Date.now() - days * dayMs;
  const stepMs = (days * dayMs) / count;
  const id = (number: string) => `printf('%08x-0000-7000-8000-%012x', ${number}, ${number})`;
  database.exec(`
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})
    INSERT INTO sessions (id, seq, agent, title, repository, started_ms, ended_ms)
    SELECT ${id('i')}, i + 1, iif(i % 3 = 0, 'claude', 'codex'), 'Fix ' || i, '/home/me/project-' || (i % 20),
      ${startMs} + i * ${stepMs}, ${startMs} + i * ${stepMs} + ${each} * 30000 FROM n;
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count * each - 1})
    INSERT INTO exchanges (id, session_id, ts_ms, duration_ms, method, url, upstream_host, status, dialect, transport,
      model, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, cost_usd, cost_kind, extra_json)
    SELECT 'exchange-' || i, ${id(`i / ${each}`)},
      ${startMs} + (i / ${each}) * ${stepMs} + (i % ${each}) * 30000, 900, 'POST',
      'https://api.openai.com/v1/responses', 'api.openai.com', 200, 'responses', 'sse',
      iif(i % 50 = 0, 'gpt-5-mini', 'gpt-5.5'), 50000 + i % 1000, 40000, 500, 100, 0.05, 'priced', '{}' FROM n`);
  const totals = new UsageTotals(database);
  const recount = database.transaction(() => {
    for (const session of database.prepare('SELECT id FROM sessions').pluck().all()) totals.recount(session as string);
  });
  recount();
  database.close();
}
