import * as z from 'zod';
import type { StatsKey, StatsRow } from '../../../protocol/sessions.ts';
import type { Cost, Usage } from '../../../protocol/usage.ts';
import type { Sqlite } from '../../base/sqlite.ts';
import { TotalsRecord, toCost, totalsColumns, toUsage } from '../storage/records.ts';

export interface StatsQuery {
  /** One row per combination of these. */
  readonly by: readonly StatsKey[];
  /** Epoch ms; null for all. Totals are kept per day (UTC), so the whole day of this time counts. */
  readonly sinceMs: number | null;
  /** The same for the last day. */
  readonly untilMs?: number | null;
}

const expressions: Readonly<Record<StatsKey, string>> = {
  day: 'day',
  week: "date(day, 'weekday 0', '-6 days')",
  month: 'substr(day, 1, 7)',
  model: "iif(model = '', 'unknown', model)",
  agent: 'agent',
  session: 'sessions.id',
  repository: 'repository',
};

const StatsRecord = TotalsRecord.extend({
  day: z.string().optional(),
  week: z.string().optional(),
  month: z.string().optional(),
  model: z.string().optional(),
  agent: z.string().nullable().optional(),
  session: z.string().optional(),
  repository: z.string().nullable().optional(),
  sessions: z.int(),
  without_usage: z.int(),
  cache_write_tokens: z.int().nonnegative().nullable().catch(null),
});

/** What a recording answers is no use of a model. */
const used = "cost_kind <> 'replay'";

/** What reports 0, such as to warm up a cache, has told its usage. */
const withoutUsage = 'coalesce(sum(without_usage), 0)';

const ofTime: ReadonlySet<StatsKey> = new Set(['day', 'week', 'month']);

/** Days, weeks and months newest first, every other key by its value. Reads `usage_totals` only, whatever the number of exchanges. */
export function statsOf(database: Sqlite, { by, sinceMs, untilMs = null }: StatsQuery): StatsRow[] {
  const keys = [...new Set(by)];
  const isJoined = keys.some(key => !ofTime.has(key) && key !== 'model');
  const groups = keys.map((_, at) => at + 1);
  const order = keys.map((key, at) => `${at + 1}${ofTime.has(key) ? ' DESC' : ''}`);
  return database
    .prepare(
      `SELECT ${keys.map(key => `${expressions[key]} AS ${key}, `).join('')}
         count(DISTINCT session_seq) AS sessions, ${withoutUsage} AS without_usage,
         sum(cache_write_tokens) AS cache_write_tokens, ${totalsColumns}
       FROM usage_totals ${isJoined ? 'JOIN sessions ON sessions.seq = session_seq' : ''}
       WHERE usage_totals.day >= date($sinceMs / 1000, 'unixepoch') AND ${used}
         AND ($untilMs IS NULL OR usage_totals.day <= date($untilMs / 1000, 'unixepoch'))
       ${keys.length === 0 ? '' : `GROUP BY ${groups} ORDER BY ${order}`}`,
    )
    .all({ sinceMs: sinceMs ?? 0, untilMs })
    .map(row => {
      const { sessions, exchanges, without_usage, cache_write_tokens, cost_usd, cost_kinds, ...rest } =
        StatsRecord.parse(row);
      const { input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, ...group } = rest;
      const usage = toUsage({ input_tokens, cached_input_tokens, output_tokens, reasoning_tokens });
      return {
        ...group,
        sessions,
        exchanges,
        withoutUsage: without_usage,
        usage,
        cacheWriteTokens: cache_write_tokens,
        cost: toCost({ cost_usd, cost_kinds }),
      };
    });
}

/** Exchanges since a point in time (epoch ms), for a day that is not UTC's. Reads them one by one: for a day or so. */
export function spentSince(database: Sqlite, sinceMs: number): { exchanges: number; usage: Usage; cost: Cost } {
  const row = database
    .prepare(
      `SELECT ${totalsColumns} FROM (SELECT 1 AS exchanges, * FROM exchanges INDEXED BY exchanges_by_time WHERE ts_ms >= ? AND ${used})`,
    )
    .get(sinceMs);
  const record = TotalsRecord.parse(row);
  return { exchanges: record.exchanges, usage: toUsage(record), cost: toCost(record) };
}
