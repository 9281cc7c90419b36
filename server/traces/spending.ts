import type { Sqlite } from '../base/sqlite.ts';

/** What was used: input + output tokens, and money where the price is known. */
export interface Spend {
  readonly tokens: number;
  readonly usd: number;
}

/** Nothing is paid for what a recording answers. */
const sum = `SELECT coalesce(sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)), 0) AS tokens,
  coalesce(sum(cost_usd), 0) AS usd FROM usage_totals WHERE cost_kind <> 'replay'`;

export function spentInSession(database: Sqlite, sessionId: string): Spend {
  const condition = 'session_seq = (SELECT seq FROM sessions WHERE id = ?)';
  return database.prepare(`${sum} AND ${condition}`).get(sessionId) as Spend;
}

/** `day` in UTC, such as `2026-01-31`. */
export function spentOnDay(database: Sqlite, day: string): Spend {
  return database.prepare(`${sum} AND day = ?`).get(day) as Spend;
}
