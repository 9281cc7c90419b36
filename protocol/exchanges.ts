import type { Exchange } from './sessions.ts';

/** Whether an exchange went wrong: it broke off, or the API refused it. */
export function hasFailed({ error, status }: Pick<Exchange, 'error' | 'status'>): boolean {
  return error !== null || (status ?? 0) >= 400;
}
