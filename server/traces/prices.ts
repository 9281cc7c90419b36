import { calcPrice, findProvider } from '@pydantic/genai-prices';
import { type Cost, totalTokens, type Usage } from '../../protocol/usage.ts';

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

/**
 * What an exchange cost, by the provider's published prices of that day (@pydantic/genai-prices, offline).
 * A model or host without a price is `unpriced`: never $0, never the price of a similar name.
 */
export function costOf(exchange: PricedExchange): Cost {
  if (!totalTokens(exchange.usage)) return { amountUsd: null, kind: 'none' };
  if (exchange.replay) return { amountUsd: null, kind: 'replay' };
  if (exchange.subscription || exchange.host === 'chatgpt.com') return { amountUsd: null, kind: 'subscription' };
  const amountUsd = priceOf(exchange);
  return amountUsd === null ? { amountUsd: null, kind: 'unpriced' } : { amountUsd, kind: 'priced' };
}

function priceOf({ usage, cacheWriteTokens, model, host, atMs }: PricedExchange): number | null {
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
    return calcPrice(counts, model, { provider, timestamp: new Date(atMs) })?.total_price ?? null;
  } catch {
    // The counts contradict each other (more cached than sent): no price is better than a wrong one.
    return null;
  }
}
