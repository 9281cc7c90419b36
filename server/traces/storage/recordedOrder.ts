/** When an exchange began (epoch ms) and how long it took; `seq` numbers exchanges as they ended. */
export interface RecordedTime {
  readonly seq: number;
  readonly ts_ms: number;
  readonly duration_ms: number | null;
}

/**
 * Exchanges in the order in which they began. One that ended before another that was recorded earlier shows that the
 * clock was set back in between: it and all that follow it come after those.
 */
export function inOrderOfTime<T extends RecordedTime>(exchanges: readonly T[]): T[] {
  const ordered: T[] = [];
  let sinceSet: T[] = [];
  let latestMs = -Infinity;
  for (const exchange of exchanges.toSorted((a, b) => a.seq - b.seq)) {
    const endMs = exchange.ts_ms + Math.max(0, exchange.duration_ms ?? 0);
    if (endMs < latestMs) {
      ordered.push(...byStart(sinceSet));
      sinceSet = [];
    }
    latestMs = endMs;
    sinceSet.push(exchange);
  }
  return [...ordered, ...byStart(sinceSet)];
}

function byStart<T extends RecordedTime>(exchanges: readonly T[]): T[] {
  return exchanges.toSorted((a, b) => a.ts_ms - b.ts_ms);
}
