import type { Exchange } from '../../../protocol/sessions.ts';
import type { Sqlite } from '../../base/sqlite.ts';
import { inOrderOfTime, type RecordedTime } from './recordedOrder.ts';
import { ExchangeRecord, toExchange } from './records.ts';

const columns = `seq, id, session_id, ts_ms, duration_ms, first_byte_ms, method, url, upstream_host, status, dialect,
  transport, model, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, cost_usd, cost_kind, error, attempt`;

/** Numbers of a session's exchanges behind a cursor. Left to itself, SQLite looks through all that were recorded. */
const laterOfSession = `SELECT seq FROM exchanges INDEXED BY exchanges_by_session WHERE session_id = ? AND seq > ?
  ORDER BY seq LIMIT 500`;

/** In the order in which they began. */
export function exchangesBy(
  database: Sqlite,
  column: 'id' | 'session_id' | 'launch_id' | 'trial_id',
  value: string,
): Exchange[] {
  const rows = database.prepare(`SELECT ${columns} FROM exchanges WHERE ${column} = ?`).all(value) as RecordedTime[];
  return inOrderOfTime(rows).map(row => toExchange(ExchangeRecord.parse(row)));
}

/** Those stored after a cursor, at most 500, in the order they were stored, and the cursor behind them. */
export function exchangesAfter(
  database: Sqlite,
  cursor: number,
  sessionId: string | null,
): { rows: Exchange[]; next: number } {
  const select = `SELECT ${columns} FROM exchanges WHERE`;
  const records = (
    sessionId === null
      ? database.prepare(`${select} seq > ? ORDER BY seq LIMIT 500`).all(cursor)
      : database.prepare(`${select} seq IN (${laterOfSession}) ORDER BY seq`).all(sessionId, cursor)
  ) as { seq: number }[];
  return { rows: records.map(row => toExchange(ExchangeRecord.parse(row))), next: records.at(-1)?.seq ?? cursor };
}

/** Ids that begin like that, in their order. */
export function exchangeIds(database: Sqlite, idStart: string, limit: number): string[] {
  const ids =
    'SELECT id FROM exchanges WHERE id >= $idStart AND id < $idStart || char(1114111) ORDER BY id LIMIT $limit';
  return database.prepare(ids).pluck().all({ idStart, limit }) as string[];
}
