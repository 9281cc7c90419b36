import * as z from 'zod';

/**
 * Tokens of one exchange, session or trial. `cachedInputTokens` ⊂ `inputTokens`, `reasoningTokens` ⊂ `outputTokens`.
 * A figure that the model API did not report is null, never 0.
 */
export const Usage = z.object({
  inputTokens: z.int().nonnegative().nullable(),
  cachedInputTokens: z.int().nonnegative().nullable(),
  outputTokens: z.int().nonnegative().nullable(),
  reasoningTokens: z.int().nonnegative().nullable(),
});
export type Usage = z.infer<typeof Usage>;

export const noUsage: Usage = {
  inputTokens: null,
  cachedInputTokens: null,
  outputTokens: null,
  reasoningTokens: null,
};

/** Sums figure by figure; a null adds nothing, and all-null stays null. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: sum(a.inputTokens, b.inputTokens),
    cachedInputTokens: sum(a.cachedInputTokens, b.cachedInputTokens),
    outputTokens: sum(a.outputTokens, b.outputTokens),
    reasoningTokens: sum(a.reasoningTokens, b.reasoningTokens),
  };
}

function sum(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : a + b;
}

/** Input + output tokens, or null when neither was reported. */
export function totalTokens(usage: Usage): number | null {
  if (usage.inputTokens === null && usage.outputTokens === null) return null;
  return (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0);
}

/**
 * Money of an exchange, session or trial. `amountUsd` is the whole where `kind` is `priced`, the part that has a price
 * where it is `unpriced`, and else null.
 */
export const Cost = z.object({
  amountUsd: z.number().nonnegative().nullable(),
  /** `replay`: answered from a recording, nothing was paid. `none`: nothing to price. */
  kind: z.enum(['priced', 'unpriced', 'subscription', 'replay', 'none']),
});
export type Cost = z.infer<typeof Cost>;

export const noCost: Cost = { amountUsd: null, kind: 'none' };

/** Sums money. What has no price makes the sum unpriced: a part must not be taken for the whole. */
export function addCost(a: Cost, b: Cost): Cost {
  if (a.kind === 'none') return b;
  if (b.kind === 'none') return a;
  const amountUsd = sum(a.amountUsd, b.amountUsd);
  if (a.kind === 'unpriced' || b.kind === 'unpriced') return { amountUsd, kind: 'unpriced' };
  if (a.kind === 'priced' || b.kind === 'priced') return { amountUsd, kind: 'priced' };
  return a.kind === b.kind ? a : { amountUsd: null, kind: 'subscription' };
}

/** All that was paid, to be compared or divided; null where only a part of it is known. */
export function wholeUsd({ amountUsd, kind }: Cost): number | null {
  return kind === 'priced' ? amountUsd : null;
}

/** Share of the input that the provider answered from its cache, in [0,1]; null when it reported no such figure. */
export function cachedShare({ inputTokens, cachedInputTokens }: Usage): number | null {
  return !inputTokens || cachedInputTokens === null ? null : cachedInputTokens / inputTokens;
}
