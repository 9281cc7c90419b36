import type { Sqlite } from '../base/sqlite.ts';
import { type PricedExchange, PriceSnapshots, priceOf } from './prices.ts';
import { UsageTotals } from './totals.ts';

export interface RepriceReport {
  /** Exchanges whose cost is another one now. */
  readonly changed: number;
  /** Of those, the ones that had no price before. */
  readonly newlyPriced: number;
}

const rowsPerStep = 250;

interface Row {
  readonly seq: number;
  readonly session_id: string;
  readonly ts_ms: number;
  readonly upstream_host: string;
  readonly model: string | null;
  readonly input_tokens: number | null;
  readonly cached_input_tokens: number | null;
  readonly cache_write_tokens: number | null;
  readonly output_tokens: number | null;
  readonly reasoning_tokens: number | null;
  readonly cost_usd: number | null;
  readonly cost_kind: string;
  readonly price_id: number | null;
}

/**
 * Computes costs again with the price list of this version; to be run to its end, step by step. The cost and the prices
 * before stay beside the new ones. A price that can't be
 * found any more leaves the cost as it was. Subscriptions and replays have no price and get none.
 */
export function* reprice(database: Sqlite): Generator<void, RepriceReport> {
  const totals = new UsageTotals(database);
  const prices = new PriceSnapshots(database);
  const next = database.prepare(
    `SELECT * FROM exchanges WHERE seq > ? AND cost_kind IN ('priced', 'unpriced') ORDER BY seq LIMIT ${rowsPerStep}`,
  );
  const update = database.prepare(
    `UPDATE exchanges SET cost_usd = ?, cost_kind = 'priced', price_id = ?, replaced_cost_usd = ?, replaced_price_id = ?
     WHERE seq = ?`,
  );
  let changed = 0;
  let newlyPriced = 0;
  for (let last = 0; ; yield) {
    const rows = next.all(last) as Row[];
    const end = rows.at(-1);
    if (end === undefined) return { changed, newlyPriced };
    last = end.seq;
    const sessions = new Set<string>();
    const step = database.transaction(() => {
      for (const row of rows) {
        const { cost, snapshot } = priceOf(toPriced(row));
        if (snapshot === null || cost.amountUsd === row.cost_usd) continue;
        update.run(cost.amountUsd, prices.put(snapshot), row.cost_usd, row.price_id, row.seq);
        sessions.add(row.session_id);
        changed++;
        if (row.cost_kind === 'unpriced') newlyPriced++;
      }
      for (const id of sessions) totals.recount(id);
    });
    step.immediate();
  }
}

function toPriced(row: Row): PricedExchange {
  return {
    usage: {
      inputTokens: row.input_tokens,
      cachedInputTokens: row.cached_input_tokens,
      outputTokens: row.output_tokens,
      reasoningTokens: row.reasoning_tokens,
    },
    cacheWriteTokens: row.cache_write_tokens,
    model: row.model,
    host: row.upstream_host,
    atMs: row.ts_ms,
    replay: false,
    subscription: false,
  };
}
