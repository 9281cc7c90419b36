import { calcPrice, findProvider, type ModelPrice, type PriceCalculation, type Provider } from '@pydantic/genai-prices';
import { type Cost, totalTokens, type Usage } from '../../../protocol/usage.ts';
import type { Sqlite } from '../../base/sqlite.ts';
import type { PriceTerms } from './priceTerms.ts';

export interface PricedExchange {
  readonly usage: Usage;
  readonly cacheWriteTokens: number | null;
  /** Left out where nothing is known of them. */
  readonly terms?: PriceTerms;
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
  /**
   * USD, by the list's names: `…_mtok` per million tokens, `…_kcount` per thousand calls. A tier's price holds for the
   * whole request once its input exceeds `start` tokens.
   */
  readonly rates: Readonly<Record<string, unknown>>;
}

/** Keeps snapshots, each once. */
export class PriceSnapshots {
  readonly #put;
  readonly #id;
  /** Ids of those that were put before: nobody deletes them. */
  #ids = new WeakMap<PriceSnapshot, number>();

  constructor(database: Sqlite) {
    this.#put = database.prepare('INSERT INTO prices (snapshot_json) VALUES (?) ON CONFLICT DO NOTHING');
    this.#id = database.prepare('SELECT id FROM prices WHERE snapshot_json = ?').pluck();
  }

  /** Its id in `prices`; null for none. */
  put(snapshot: PriceSnapshot | null): number | null {
    if (snapshot === null) return null;
    const known = this.#ids.get(snapshot);
    if (known !== undefined) return known;
    const json = JSON.stringify(snapshot);
    this.#put.run(json);
    const id = this.#id.get(json) as number;
    this.#ids.set(snapshot, id);
    return id;
  }

  /** The transaction in which some were put was taken back. */
  forget(): void {
    this.#ids = new WeakMap();
  }
}

export interface PricedCost {
  readonly cost: Cost;
  /** Null unless the cost is `priced`. */
  readonly snapshot: PriceSnapshot | null;
}

/** Hosts that only serve who has a plan: ChatGPT's, and Gemini's by Google login. Copilot charges its plans by tokens. */
const planHosts: ReadonlySet<string> = new Set(['chatgpt.com', 'cloudcode-pa.googleapis.com']);

/**
 * What an exchange cost, by the provider's published prices of that day (@pydantic/genai-prices, offline).
 * A model, host or tier without a price is `unpriced`: never $0, never the price of a similar one.
 */
export function priceOf(exchange: PricedExchange): PricedCost {
  const unpaid = (kind: Cost['kind']): PricedCost => ({ cost: { amountUsd: null, kind }, snapshot: null });
  if (exchange.replay) return unpaid('replay');
  if (!totalTokens(exchange.usage)) return unpaid('none');
  if (exchange.subscription || planHosts.has(exchange.host)) return unpaid('subscription');
  const price = calculate(exchange);
  if (price === null) return unpaid('unpriced');
  return { cost: { amountUsd: price.total_price, kind: 'priced' }, snapshot: snapshotOf(price) };
}

/** The same object for the same prices. */
const snapshots = new WeakMap<ModelPrice, PriceSnapshot>();

function snapshotOf({ provider, model, model_price: prices }: PriceCalculation): PriceSnapshot {
  const known = snapshots.get(prices);
  if (known?.provider === provider.id && known.model === model.id) return known;
  const rates = Object.entries(prices).filter(([, rate]) => rate !== undefined);
  const snapshot = {
    source: priceSource,
    provider: provider.id,
    model: model.id,
    rates: Object.fromEntries(rates),
  };
  snapshots.set(prices, snapshot);
  return snapshot;
}

/**
 * Providers by host and model, with that one model alone: looking it up among all others costs ten times what the sum
 * does. Which of its prices applies is still for the list to say. Null where the list has no such model.
 */
const found = new Map<string, Provider | null>();
const maxFound = 200;

function providerOf(host: string, model: string): Provider | null {
  const key = `${host}\n${model}`;
  let provider = found.get(key);
  if (provider === undefined) {
    const whole = findProvider({ providerApiUrl: `https://${host}` });
    const price = whole === undefined ? null : calcPrice({}, model, { provider: whole });
    provider = price === null ? null : { ...price.provider, models: [price.model] };
    if (found.size === maxFound) found.clear();
    found.set(key, provider);
  }
  return provider;
}

/** Whether the list has prices of the model. */
export function isListed({ host, model }: PricedExchange): boolean {
  return model !== null && providerOf(host, model) !== null;
}

function calculate({ usage, cacheWriteTokens, terms, model, host, atMs }: PricedExchange): PriceCalculation | null {
  if (model === null || usage.inputTokens === null || usage.outputTokens === null) return null;
  if (terms?.usual === false) return null;
  const forAnHour = terms?.hourCacheWriteTokens ?? 0;
  const searches = terms?.webSearches ?? 0;
  const counts = {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    ...(usage.cachedInputTokens === null ? {} : { cache_read_tokens: usage.cachedInputTokens }),
    ...(cacheWriteTokens === null ? {} : { cache_write_tokens: cacheWriteTokens }),
    ...(forAnHour === 0 ? {} : { cache_write_1h_tokens: forAnHour }),
    ...(searches === 0 ? {} : { web_searches: searches }),
  };
  try {
    const provider = providerOf(host, model);
    const price = provider === null ? null : calcPrice(counts, model, { provider, timestamp: new Date(atMs) });
    // Without a price for an hour, the list would take the one for five minutes; without one for a search, none.
    if (forAnHour > 0 && price?.model_price['cache_write_1h_mtok'] === undefined) return null;
    return searches > 0 && price?.model_price['web_searches_kcount'] === undefined ? null : price;
  } catch {
    // The counts contradict each other (more cached than sent): no price is better than a wrong one.
    return null;
  }
}
