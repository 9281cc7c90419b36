import type { Sqlite } from '../base/sqlite.ts';

/** Columns of `usage_totals` that sum up a column of the same name in `exchanges`. */
const summed = [
  'input_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'output_tokens',
  'reasoning_tokens',
  'cost_usd',
] as const;

/** A figure that no exchange reported stays null: it is not 0. */
const added = summed.map(
  name => `${name} = iif(${name} IS NULL, excluded.${name}, ${name} + coalesce(excluded.${name}, 0))`,
);

/** The totals that `usage_totals` keeps per session, UTC day, model and kind of cost, from a set of exchanges. */
const totalsOf = (condition: string) => `
  SELECT sessions.seq, date(ts_ms / 1000, 'unixepoch'), coalesce(model, ''), cost_kind, count(*),
    ${summed.map(name => `sum(${name})`).join(', ')}
  FROM exchanges JOIN sessions ON sessions.id = session_id
  WHERE ${condition} GROUP BY 1, 2, 3, 4`;

const insert = `INSERT INTO usage_totals (session_seq, day, model, cost_kind, exchanges, ${summed.join(', ')})`;

/**
 * Keeps what exchanges add up to, so that no question about money or tokens has to read them. To be called in the
 * transaction that changes the exchanges.
 */
export class UsageTotals {
  readonly #add;
  readonly #remove;
  readonly #sum;

  constructor(database: Sqlite) {
    // Without the WHERE, SQLite's parser would take ON CONFLICT for a join's ON.
    this.#add = database.prepare(`${insert}
      SELECT seq, date($startedAtMs / 1000, 'unixepoch'), coalesce($model, ''), $costKind, 1,
        $inputTokens, $cachedInputTokens, $cacheWriteTokens, $outputTokens, $reasoningTokens, $amountUsd
      FROM sessions WHERE id = $sessionId
      ON CONFLICT DO UPDATE SET exchanges = exchanges + 1, ${added.join(', ')}`);
    this.#remove = database.prepare(
      'DELETE FROM usage_totals WHERE session_seq = (SELECT seq FROM sessions WHERE id = ?)',
    );
    this.#sum = database.prepare(`${insert} ${totalsOf('session_id = ?')}`);
  }

  /** Counts an exchange that was just written, from the values it was written with: reading it again costs more. */
  add(written: object): void {
    this.#add.run(written);
  }

  /** Counts a session's exchanges anew. */
  recount(sessionId: string): void {
    this.#remove.run(sessionId);
    this.#sum.run(sessionId);
  }
}
