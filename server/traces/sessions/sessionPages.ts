import type * as z from 'zod';
import { CoachError } from '../../../protocol/errors.ts';
import type { SessionSummary } from '../../../protocol/sessions.ts';
import { type Sqlite, storageFault } from '../../base/sqlite.ts';
import { SessionRecord, SessionTotalsRecord, toSessionSummary, totalsColumns } from '../storage/records.ts';

/** Which sessions; what is left out does not narrow. */
export interface SessionFilter {
  readonly agent?: string | undefined;
  readonly model?: string | undefined;
  /** A directory: sessions in it or below it. */
  readonly repository?: string | undefined;
  /** Last activity at or after this time, epoch ms. */
  readonly sinceMs?: number | undefined;
  /** In the title, without regard to ASCII case. */
  readonly text?: string | undefined;
  /** What their ids begin with. */
  readonly idStart?: string | undefined;
  /** Without sessions that a recording answered from beginning to end. */
  readonly withoutReplays?: boolean | undefined;
}

export interface SessionPage extends SessionFilter {
  readonly limit: number;
  /** `next` of the page before. */
  readonly before?: string | undefined;
}

const conditions: Readonly<Record<keyof SessionFilter, string>> = {
  agent: 'agent = $agent',
  model: 'EXISTS (SELECT 1 FROM usage_totals WHERE session_seq = sessions.seq AND model = $model)',
  repository: "(repository = $repository OR substr(repository, 1, length($repository) + 1) = $repository || '/')",
  sinceMs: 'ended_ms >= $sinceMs',
  text: 'instr(lower(title), lower($text)) > 0',
  idStart: 'id >= $idStart AND id < $idStart || char(1114111)',
  withoutReplays: `(EXISTS (SELECT 1 FROM usage_totals WHERE session_seq = sessions.seq AND cost_kind <> 'replay')
    OR NOT EXISTS (SELECT 1 FROM usage_totals WHERE session_seq = sessions.seq))`,
};

/** Sessions by their last activity, newest first. `next` is the cursor of the following page, or null. */
export function sessionPage(database: Sqlite, page: SessionPage): { rows: SessionSummary[]; next: string | null } {
  const { limit, before, ...filter } = page;
  const [endedMs, id] = parseCursor(before);
  const given = Object.entries(filter).filter(([, value]) => value !== undefined && value !== false);
  const narrowed = given.map(([name]) => `AND ${conditions[name as keyof SessionFilter]}`);
  const records = database
    .prepare(
      `SELECT * FROM sessions WHERE (ended_ms, id) < ($endedMs, $id) ${narrowed.join(' ')}
       ORDER BY ended_ms DESC, id DESC`,
    )
    .iterate({ ...Object.fromEntries(given), endedMs, id }) as IterableIterator<SessionRecord>;
  const found: SessionSummary[] = [];
  let last: SessionRecord | undefined;
  // Also behind rows that are left out: a page that is not full is the last one.
  for (const record of records) {
    const summary = readableSummary(database, record);
    if (found.length === limit && summary.length > 0) return { rows: found, next: `${last?.ended_ms}~${last?.id}` };
    found.push(...summary);
    if (summary.length > 0) last = record;
  }
  return { rows: found, next: null };
}

const noTotals: z.output<typeof SessionTotalsRecord> = {
  ...{ exchanges: 0, models: [], cost_usd: null, cost_kinds: [] },
  ...{ input_tokens: null, cached_input_tokens: null, output_tokens: null, reasoning_tokens: null },
};

/** Times from here on have no ISO date of the usual length. */
const endOfTime = Date.UTC(10_000, 0);

/** A row that is not as it was written must not hide the others: it is left out, or stands there without its totals. */
export function readableSummary(database: Sqlite, row: unknown): SessionSummary[] {
  const { data: record } = SessionRecord.safeParse(row);
  const isDated = (epochMs: number) => epochMs >= 0 && epochMs < endOfTime;
  if (record === undefined || !isDated(record.started_ms) || !isDated(record.ended_ms)) return [];
  try {
    return [summaryOf(database, record)];
  } catch (error) {
    if (storageFault(error) !== null) throw error;
    return [toSessionSummary(record, noTotals)];
  }
}

/** With the session's totals, see `UsageTotals`. */
export function summaryOf(database: Sqlite, record: SessionRecord): SessionSummary {
  const totals = database
    .prepare(
      `SELECT json_group_array(DISTINCT nullif(model, '')) AS models, ${totalsColumns}
       FROM usage_totals WHERE session_seq = ?`,
    )
    .get(record.seq);
  return toSessionSummary(record, SessionTotalsRecord.parse(totals));
}

/**
 * Cursors are opaque to clients; without one the list starts from the newest.
 * @throws CoachError `input.invalid` for one that we did not give: a script would go in circles
 */
export function parseCursor(cursor: string | undefined): [endedMs: number, id: string] {
  if (cursor === undefined) return [Number.MAX_SAFE_INTEGER, ''];
  const match = /^(\d+)~(.+)$/.exec(cursor);
  if (match !== null) return [Number(match[1]), match[2] ?? ''];
  throw new CoachError('input.invalid', `${JSON.stringify(cursor)} is no cursor of this list.`, {
    hint: 'Give `next` of the page before, as it is, or leave it out for the newest.',
  });
}
