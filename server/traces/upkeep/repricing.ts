import type { Sqlite } from '../../base/sqlite.ts';
import { dialectNamed } from '../dialects/index.ts';
import { isObject } from '../json.ts';
import { joinHead } from '../storage/heads.ts';
import { ItemReader } from '../storage/items.ts';
import { unpack } from '../storage/packing.ts';
import { isListed, type PricedCost, type PricedExchange, PriceSnapshots, priceOf } from '../usage/prices.ts';
import { priceTermMembers, priceTerms } from '../usage/priceTerms.ts';
import { UsageTotals } from '../usage/totals.ts';

export interface RepriceReport {
  /** Exchanges whose cost is another one now. */
  readonly changed: number;
  /** Of those, the ones that had no price before. */
  readonly newlyPriced: number;
}

/** Few enough that no exchange waits long to be written, also where what is needed of replies is stored apart. */
const rowsPerStep = 50;

interface Row {
  readonly seq: number;
  readonly session_id: string;
  readonly ts_ms: number;
  readonly upstream_host: string;
  readonly dialect: string;
  readonly model: string | null;
  readonly input_tokens: number | null;
  readonly cached_input_tokens: number | null;
  readonly cache_write_tokens: number | null;
  readonly output_tokens: number | null;
  readonly reasoning_tokens: number | null;
  readonly cost_usd: number | null;
  readonly cost_kind: string;
  readonly price_id: number | null;
  readonly response_json: string | null;
  readonly reply_head: string | null;
}

/**
 * Computes costs again with the price list and the rules of this version; to be run to its end, step by step. The cost
 * and the prices before stay beside the new ones. A model that the list has no more leaves the cost as it was.
 * Subscriptions and replays have no price and get none.
 */
export function* reprice(database: Sqlite): Generator<void, RepriceReport> {
  const totals = new UsageTotals(database);
  const prices = new PriceSnapshots(database);
  const items = new ItemReader(database);
  const next = database.prepare(
    `SELECT *, (SELECT json FROM heads WHERE heads.id = response_head) AS reply_head FROM exchanges
     WHERE seq > ? AND cost_kind IN ('priced', 'unpriced') ORDER BY seq LIMIT ${rowsPerStep}`,
  );
  const update = database.prepare(
    `UPDATE exchanges SET cost_usd = ?, cost_kind = ?, price_id = ?, replaced_cost_usd = ?, replaced_price_id = ?
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
        const priced = newPrice(row, items);
        if (priced === null) continue;
        const { cost, snapshot } = priced;
        update.run(cost.amountUsd, cost.kind, prices.put(snapshot), row.cost_usd, row.price_id, row.seq);
        sessions.add(row.session_id);
        changed++;
        if (row.cost_kind === 'unpriced' && cost.kind === 'priced') newlyPriced++;
      }
      for (const id of sessions) totals.recount(id);
    });
    step.immediate();
  }
}

/** Null where the cost stays as it was. */
function newPrice(row: Row, items: ItemReader): PricedCost | null {
  const reply = neededOf(row, items);
  if (reply === undefined) return null;
  const exchange = toPriced(row, reply);
  const priced = priceOf(exchange);
  const { amountUsd, kind } = priced.cost;
  if (amountUsd === row.cost_usd && kind === row.cost_kind) return null;
  return kind === 'unpriced' && !isListed(exchange) ? null : priced;
}

/** What its price needs of the reply, null for none; undefined where what is stored of it can't be read. */
function neededOf({ response_json: own, reply_head: head }: Row, items: ItemReader): unknown {
  if (own === null) return null;
  try {
    const reply = joinHead(head, own);
    const needed = priceTermMembers.map(name => [name, isObject(reply) ? reply[name] : undefined]);
    return unpack(Object.fromEntries(needed), item => items.text(item));
  } catch {
    return undefined;
  }
}

/** The first version had no column for it. */
function cacheWritesIn(reply: unknown, dialect: string): number | null {
  const builder = dialectNamed(dialect)?.reply();
  builder?.whole(reply);
  return builder?.finish(false).cacheWriteTokens ?? null;
}

function toPriced(row: Row, reply: unknown): PricedExchange {
  return {
    usage: {
      inputTokens: row.input_tokens,
      cachedInputTokens: row.cached_input_tokens,
      outputTokens: row.output_tokens,
      reasoningTokens: row.reasoning_tokens,
    },
    cacheWriteTokens: row.cache_write_tokens ?? cacheWritesIn(reply, row.dialect),
    terms: priceTerms(reply),
    model: row.model,
    host: row.upstream_host,
    atMs: row.ts_ms,
    replay: false,
    subscription: false,
  };
}
