import type { Sqlite } from '../../base/sqlite.ts';

/** What was used: input + output tokens, and money where the price is known. */
export interface Spend {
  readonly tokens: number;
  readonly usd: number;
}

/** Nothing is paid for what a recording answers. */
const paid = `SELECT coalesce(input_tokens, 0) + coalesce(output_tokens, 0) AS tokens, coalesce(cost_usd, 0) AS usd
  FROM usage_totals WHERE cost_kind <> 'replay'`;
const sumOf = (spending: string) => `SELECT coalesce(sum(tokens), 0) AS tokens, coalesce(sum(usd), 0) AS usd
  FROM (${spending})`;

export function spentInSession(database: Sqlite, sessionId: string): Spend {
  const ofSession = `${paid} AND session_seq = (SELECT seq FROM sessions WHERE id = ?)`;
  return database.prepare(sumOf(ofSession)).get(sessionId) as Spend;
}

/** `day` in UTC, such as `2026-01-31`. What was deleted since was spent all the same. */
export function spentOnDay(database: Sqlite, day: string): Spend {
  const ofDay = `${paid} AND day = $day UNION ALL SELECT tokens, usd FROM deleted_spending WHERE day = $day`;
  return database.prepare(sumOf(ofDay)).get({ day }) as Spend;
}

/** The part of it that no session shows any more. */
export function deletedOnDay(database: Sqlite, day: string): Spend {
  const found = database.prepare('SELECT tokens, usd FROM deleted_spending WHERE day = ?').get(day);
  return (found as Spend | undefined) ?? { tokens: 0, usd: 0 };
}

/** SQL that counts what exchanges used as deleted; `numbers`: a query of their `seq`. A damaged time is of no day. */
export const countDeleted = (numbers: string) => `
  INSERT INTO deleted_spending
  SELECT date(ts_ms / 1000, 'unixepoch') AS utc_day, sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)),
    sum(coalesce(cost_usd, 0))
  FROM exchanges WHERE seq IN (${numbers}) AND cost_kind <> 'replay'
  GROUP BY utc_day HAVING utc_day IS NOT NULL
  ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens, usd = usd + excluded.usd`;
