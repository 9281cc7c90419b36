import type { Cost } from './usage.ts';

/** What stands for a figure that is not known. Never 0. */
export const noFigure = '–';

/** A noun as it stands after a count: `trial` after 1, else `trials`. */
export function plural(count: number, noun: string): string {
  return count === 1 ? noun : `${noun}s`;
}

/** How long something took: `0.4 s`, `12:40`, `1:02:03`. */
export function toDuration(durationMs: number | null): string {
  if (durationMs === null) return noFigure;
  return durationMs < 10_000 ? `${(Math.max(0, durationMs) / 1000).toFixed(1)} s` : toClock(durationMs);
}

/** How long one waited, where milliseconds matter: `12 ms`, `1.6 s`. */
export function toLatency(durationMs: number | null): string {
  return durationMs === null || durationMs >= 1000 ? toDuration(durationMs) : `${Math.round(durationMs)} ms`;
}

/** A point on a time axis that starts at 0: `0:07`, `12:40`, `1:02:03`. */
export function toClock(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  if (hours > 0) return `${hours}:${two(minutes)}:${two(seconds % 60)}`;
  return `${minutes}:${two(seconds % 60)}`;
}

/** `840`, `12.3 k`, `1.2 M`. */
export function toCount(count: number | null): string {
  if (count === null) return noFigure;
  if (count < 1000) return String(count);
  if (count < 999_500) return `${(count / 1000).toFixed(count < 99_950 ? 1 : 0)} k`;
  return `${(count / 1_000_000).toFixed(1)} M`;
}

/** `$0.47`; `$0.47 + unpriced` with a model that has no price, `unpriced` with no other; what was not paid for is a dash. */
export function toMoney(cost: Cost): string {
  switch (cost.kind) {
    case 'priced':
      return cost.amountUsd === null ? 'unpriced' : toDollars(cost.amountUsd);
    case 'unpriced':
      return cost.amountUsd === null ? 'unpriced' : `${toDollars(cost.amountUsd)} + unpriced`;
    case 'subscription':
      return 'subscription';
    case 'replay':
    case 'none':
      return noFigure;
  }
}

function toDollars(amountUsd: number): string {
  return amountUsd > 0 && amountUsd < 0.01 ? '< $0.01' : `$${amountUsd.toFixed(2)}`;
}

/** `0.67`; no verdict is a dash. */
export function toReward(reward: number | null): string {
  return reward === null ? noFigure : reward.toFixed(2);
}

/** `840 B`, `4.2 kB`, `1.1 MB`. */
export function toSize(sizeBytes: number): string {
  if (sizeBytes < 1000) return `${sizeBytes} B`;
  if (sizeBytes < 999_950) return `${(sizeBytes / 1000).toFixed(1)} kB`;
  return `${(sizeBytes / 1_000_000).toFixed(1)} MB`;
}
