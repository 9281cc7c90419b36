import { calcPrice, findProvider, type PriceCalculation } from '@pydantic/genai-prices';
import { type Cost, totalTokens, type Usage } from '../../protocol/usage.ts';
import type { Sqlite } from '../base/sqlite.ts';

export interface PricedExchange {
  readonly usage: Usage;
  readonly cacheWriteTokens: number | null;
  readonly model: string | null;
  readonly host: string;
  readonly atMs: number;
  readonly replay: boolean;
  /** The agent was logged in with a subscription: no price per token applies. */
  readonly subscription: boolean;
}

/** The price list and its version; changes with the package. */
export const priceSource = 'genai-prices 0.1.8';

/** What a cost was computed with. It stays readable when prices have moved on. */
export interface PriceSnapshot {
  readonly source: string;
  readonly provider: string;
  /** The price list's name of the model. */
  readonly model: string;
  /** USD per million tokens. A tier's price holds for the whole request once its input exceeds `start` tokens. */
  readonly rates: Readonly<Record<string, unknown>>;
}

/** Keeps snapshots, each once. */
export class PriceSnapshots {
  readonly #put;
  readonly #id;

  constructor(database: Sqlite) {
    this.#put = database.prepare('INSERT INTO prices (snapshot_json) VALUES (?) ON CONFLICT DO NOTHING');
    this.#id = database.prepare('SELECT id FROM prices WHERE snapshot_json = ?').pluck();
  }

  /** Its id in `prices`; null for none. */
  put(snapshot: PriceSnapshot | null): number | null {
    if (snapshot === null) return null;
    const json = JSON.stringify(snapshot);
    this.#put.run(json);
    return this.#id.get(json) as number;
  }
}

export interface PricedCost {
  readonly cost: Cost;
  /** Null unless the cost is `priced`. */
  readonly snapshot: PriceSnapshot | null;
}

/**
 * What an exchange cost, by the provider's published prices of that day (@pydantic/genai-prices, offline).
 * A model or host without a price is `unpriced`: never $0, never the price of a similar name.
 */
export function priceOf(exchange: PricedExchange): PricedCost {
  const unpaid = (kind: Cost['kind']): PricedCost => ({ cost: { amountUsd: null, kind }, snapshot: null });
  if (!totalTokens(exchange.usage)) return unpaid('none');
  if (exchange.replay) return unpaid('replay');
  if (exchange.subscription || exchange.host === 'chatgpt.com') return unpaid('subscription');
  const price = calculate(exchange);
  if (price === null) return unpaid('unpriced');
  const rates = Object.entries(price.model_price).filter(
    ([name, rate]) => name.endsWith('_mtok') && rate !== undefined,
  );
  return {
    cost: { amountUsd: price.total_price, kind: 'priced' },
    snapshot: {
      source: priceSource,
      provider: price.provider.id,
      model: price.model.id,
      rates: Object.fromEntries(rates),
    },
  };
}

function calculate({ usage, cacheWriteTokens, model, host, atMs }: PricedExchange): PriceCalculation | null {
  if (model === null || usage.inputTokens === null || usage.outputTokens === null) return null;
  const provider = findProvider({ providerApiUrl: `https://${host}` });
  if (provider === undefined) return null;
  const counts = {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    ...(usage.cachedInputTokens === null ? {} : { cache_read_tokens: usage.cachedInputTokens }),
    ...(cacheWriteTokens === null ? {} : { cache_write_tokens: cacheWriteTokens }),
  };
  try {
    return calcPrice(counts, model, { provider, timestamp: new Date(atMs) });
  } catch {
    // The counts contradict each other (more cached than sent): no price is better than a wrong one.
    return null;
  }
}
