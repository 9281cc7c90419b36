import type * as z from 'zod';
import type { RequestSpec } from '../../../protocol/api.ts';

/** How each request's answer reads for a person. What is not here prints as JSON. */
const renderers = new Map<RequestSpec, Words<never>>();

/** `columns`: how wide the terminal is; undefined for what is printed elsewhere. */
type Words<T> = (value: T, columns?: number) => string;

export function render<R extends z.ZodType>(spec: RequestSpec<z.ZodType, R>, words: Words<z.output<R>>): void {
  renderers.set(spec as unknown as RequestSpec, words as Words<never>);
}

export function toText(spec: RequestSpec, value: unknown, columns?: number): string {
  const words = renderers.get(spec);
  return words === undefined ? JSON.stringify(value, null, 2) : words(value as never, columns);
}
