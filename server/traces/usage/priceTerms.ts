import { arrayAt, countAt, type JsonObject, objectAt, stringAt } from '../json.ts';

/** What a reply says of its price beside its counts. */
export interface PriceTerms {
  /**
   * The prices of the list hold: not for another tier, a faster answer, an answer from one country, or one with tools of
   * the provider that it charges apart and the list does not know.
   */
  readonly usual: boolean;
  /** Of the tokens written to the provider's cache, those that stay for an hour: they have a price of their own. */
  readonly hourCacheWriteTokens: number | null;
  /** How often the provider searched the web for it: each search has a price beside the tokens. */
  readonly webSearches: number | null;
}

/** Members of a reply that tell its terms. */
export const priceTermMembers = [
  ...['service_tier', 'usage', 'usageMetadata', 'tool_usage'],
  // Searches that no count tells of stand among what was said.
  ...['output', 'candidates'],
];

/** What providers call a service at their listed prices. */
const usualNames: ReadonlySet<string> = new Set([
  ...['default', 'auto', 'standard', 'on_demand', 'unspecified'],
  // Of the country: anywhere, or a model that has no choice of it.
  ...['global', 'not_available', ''],
]);

/**
 * Reads the terms from a reply in one piece: the tier as OpenAI, Anthropic and Google name it, Anthropic's fast mode,
 * its place of inference and its cache for an hour; the tools that ran at the provider as Anthropic, OpenAI and x.ai
 * count them, or as the reply of OpenAI and Google names them one by one. What it does not mention is as usual.
 */
export function priceTerms(reply: unknown): PriceTerms {
  const usage = objectAt(reply, 'usage');
  const tools = objectAt(reply, 'tool_usage');
  const names = [
    stringAt(reply, 'service_tier'),
    stringAt(usage, 'service_tier'),
    stringAt(objectAt(reply, 'usageMetadata'), 'serviceTier'),
    stringAt(usage, 'speed'),
    stringAt(usage, 'inference_geo'),
  ];
  return {
    usual: names.every(name => name === null || usualNames.has(name)) && !hasUnlistedTools(usage, tools),
    hourCacheWriteTokens: countAt(objectAt(usage, 'cache_creation'), 'ephemeral_1h_input_tokens'),
    webSearches:
      countAt(objectAt(usage, 'server_tool_use'), 'web_search_requests') ??
      countAt(objectAt(tools, 'web_search'), 'num_requests') ??
      (searchCalls(reply) + groundingQueries(reply) || null),
  };
}

/** OpenAI's searches, one by one; opening a page that was found is none. */
function searchCalls(reply: unknown): number {
  const done = arrayAt(reply, 'output').filter(
    item => stringAt(item, 'type') === 'web_search_call' && stringAt(item, 'status') === 'completed',
  );
  return done.filter(item => (stringAt(objectAt(item, 'action'), 'type') ?? 'search') === 'search').length;
}

/** What Gemini asked Google for. */
function groundingQueries(reply: unknown): number {
  const grounding = arrayAt(reply, 'candidates').map(candidate => objectAt(candidate, 'groundingMetadata'));
  return grounding.reduce((sum, metadata) => sum + arrayAt(metadata, 'webSearchQueries').length, 0);
}

/** Pictures that another model drew for OpenAI's, and whatever x.ai ran. */
function hasUnlistedTools(usage: JsonObject | null, tools: JsonObject | null): boolean {
  const drawn = countAt(objectAt(tools, 'image_gen'), 'total_tokens') ?? 0;
  return drawn + (countAt(usage, 'num_server_side_tools_used') ?? 0) > 0;
}
