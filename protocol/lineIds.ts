import type { LineKind } from './sessions.ts';

/**
 * Names the lines of one exchange, in order: each by how many of its kind stand before it there. Numbers shift when a
 * request that began earlier is answered later, and with them what the exchanges behind it repeat.
 */
export function lineIds(exchangeId: string, kinds: readonly LineKind[]): string[] {
  const counts = new Map<LineKind, number>();
  return kinds.map(kind => {
    const before = counts.get(kind) ?? 0;
    counts.set(kind, before + 1);
    return `${exchangeId} ${kind} ${before}`;
  });
}
