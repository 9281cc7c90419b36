import { totalTokens, type Usage } from '../../../protocol/usage.ts';
import type { Sqlite } from '../../base/sqlite.ts';

/** What counts of an exchange. */
export interface CountedExchange extends Usage {
  readonly sessionId: string;
  readonly startedAtMs: number;
  readonly model: string | null;
  readonly costKind: string;
  readonly cacheWriteTokens: number | null;
  readonly amountUsd: number | null;
}

interface Sum extends CountedExchange {
  readonly exchanges: number;
  /** Those of them that told no tokens at all. */
  readonly withoutUsage: number;
}

const dayMs = 24 * 60 * 60 * 1000;

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

/**
 * The totals that `usage_totals` keeps per session, UTC day, model and kind of cost, from a set of exchanges. One whose
 * time is damaged is of no day.
 */
const totalsOf = (condition: string) => `
  SELECT sessions.seq, date(ts_ms / 1000, 'unixepoch') AS utc_day, coalesce(model, ''), cost_kind, count(*),
    sum(coalesce(input_tokens, output_tokens) IS NULL), ${summed.map(name => `sum(${name})`).join(', ')}
  FROM exchanges JOIN sessions ON sessions.id = session_id
  WHERE ${condition} GROUP BY 1, 2, 3, 4 HAVING utc_day IS NOT NULL`;

const keyed = 'session_seq, day, model, cost_kind';
const insert = `INSERT INTO usage_totals (${keyed}, exchanges, without_usage, ${summed.join(', ')})`;

/**
 * Keeps what exchanges add up to, so that no question about money or tokens has to read them. To be called in the
 * transaction that changes the exchanges.
 */
export class UsageTotals {
  readonly #add;
  readonly #remove;
  readonly #sum;
  /** What this transaction has to add, by key of its row. */
  readonly #sums = new Map<string, Sum>();

  constructor(database: Sqlite) {
    // Without the WHERE, SQLite's parser would take ON CONFLICT for a join's ON.
    this.#add = database.prepare(`${insert}
      SELECT seq, date($startedAtMs / 1000, 'unixepoch'), coalesce($model, ''), $costKind, $exchanges, $withoutUsage,
        $inputTokens, $cachedInputTokens, $cacheWriteTokens, $outputTokens, $reasoningTokens, $amountUsd
      FROM sessions WHERE id = $sessionId
      ON CONFLICT DO UPDATE SET exchanges = exchanges + excluded.exchanges,
        without_usage = without_usage + excluded.without_usage, ${added.join(', ')}`);
    this.#remove = database.prepare(
      'DELETE FROM usage_totals WHERE session_seq = (SELECT seq FROM sessions WHERE id = ?)',
    );
    this.#sum = database.prepare(`${insert} ${totalsOf('session_id = ?')}`);
  }

  /** Counts an exchange that was just written, from the values it was written with: reading it again costs more. */
  add(exchange: CountedExchange): void {
    const { sessionId, startedAtMs, model, costKind } = exchange;
    const key = `${sessionId}\n${Math.floor(startedAtMs / dayMs)}\n${costKind}\n${model ?? ''}`;
    const sum = this.#sums.get(key);
    this.#sums.set(key, sum === undefined ? sumOf(exchange) : plus(sum, exchange));
  }

  /** Writes what was added. To be called at the end of the transaction. */
  flush(): void {
    for (const sum of this.#sums.values()) this.#add.run(sum);
    this.discard();
  }

  /** The transaction was taken back. */
  discard(): void {
    this.#sums.clear();
  }

  /** Counts a session's exchanges anew. */
  recount(sessionId: string): void {
    this.#remove.run(sessionId);
    this.#sum.run(sessionId);
  }
}

function silent(exchange: CountedExchange): 0 | 1 {
  return totalTokens(exchange) === null ? 1 : 0;
}

function sumOf(exchange: CountedExchange): Sum {
  const { sessionId, startedAtMs, model, costKind, ...figures } = exchange;
  const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens, amountUsd } = figures;
  return {
    ...{ sessionId, startedAtMs, model, costKind, exchanges: 1, withoutUsage: silent(exchange) },
    ...{ inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens, amountUsd },
  };
}

function plus(sum: Sum, exchange: CountedExchange): Sum {
  return {
    ...sum,
    exchanges: sum.exchanges + 1,
    withoutUsage: sum.withoutUsage + silent(exchange),
    inputTokens: plusKnown(sum.inputTokens, exchange.inputTokens),
    cachedInputTokens: plusKnown(sum.cachedInputTokens, exchange.cachedInputTokens),
    cacheWriteTokens: plusKnown(sum.cacheWriteTokens, exchange.cacheWriteTokens),
    outputTokens: plusKnown(sum.outputTokens, exchange.outputTokens),
    reasoningTokens: plusKnown(sum.reasoningTokens, exchange.reasoningTokens),
    amountUsd: plusKnown(sum.amountUsd, exchange.amountUsd),
  };
}

function plusKnown(a: number | null, b: number | null): number | null {
  return a === null ? b : a + (b ?? 0);
}
