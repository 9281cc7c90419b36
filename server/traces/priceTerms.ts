import { countAt, objectAt, stringAt } from './json.ts';

/** What a reply says of its price beside its counts. */
export interface PriceTerms {
  /** The prices of the list hold: not for another tier, a faster answer, or an answer from one country. */
  readonly usual: boolean;
  /** Of the tokens written to the provider's cache, those that stay for an hour: they have a price of their own. */
  readonly hourCacheWriteTokens: number | null;
}

/** Members of a reply that tell its terms. */
export const priceTermMembers = ['service_tier', 'usage', 'usageMetadata'] as const;

/** What providers call a service at their listed prices. */
const usualNames: ReadonlySet<string> = new Set([
  ...['default', 'auto', 'standard', 'on_demand', 'unspecified'],
  // Of the country: anywhere, or a model that has no choice of it.
  ...['global', 'not_available', ''],
]);

/**
 * Reads the terms from a reply in one piece: the tier as OpenAI, Anthropic and Google name it, Anthropic's fast mode,
 * its place of inference and its cache for an hour. What it does not mention is as usual.
 */
export function priceTerms(reply: unknown): PriceTerms {
  const usage = objectAt(reply, 'usage');
  const names = [
    stringAt(reply, 'service_tier'),
    stringAt(usage, 'service_tier'),
    stringAt(objectAt(reply, 'usageMetadata'), 'serviceTier'),
    stringAt(usage, 'speed'),
    stringAt(usage, 'inference_geo'),
  ];
  return {
    usual: names.every(name => name === null || usualNames.has(name)),
    hourCacheWriteTokens: countAt(objectAt(usage, 'cache_creation'), 'ephemeral_1h_input_tokens'),
  };
}
