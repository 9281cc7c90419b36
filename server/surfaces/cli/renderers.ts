import type * as z from 'zod';
import type { RequestSpec } from '../../../protocol/api.ts';

/** How each request's answer reads for a person. What is not here prints as JSON. */
const renderers = new Map<RequestSpec, (value: never) => string>();

export function render<R extends z.ZodType>(
  spec: RequestSpec<z.ZodType, R>,
  words: (value: z.output<R>) => string,
): void {
  renderers.set(spec as unknown as RequestSpec, words as (value: never) => string);
}

export function toText(spec: RequestSpec, value: unknown): string {
  const words = renderers.get(spec);
  return words === undefined ? JSON.stringify(value, null, 2) : words(value as never);
}
