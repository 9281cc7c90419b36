import type { Cost, Usage } from '../../../protocol/usage.ts';
import { totalTokens } from '../../../protocol/usage.ts';

export type Align = 'left' | 'right';

/** A plain table: two spaces between columns, a header, no rules. Empty rows give only the header. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly Align[] = [],
): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        align[column] === 'right' ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map(line)].join('\n');
}

/** A missing figure is "–", never 0. */
export const missing = '–';

export function formatTokens(usage: Usage): string {
  const total = totalTokens(usage);
  return total === null ? missing : total.toLocaleString('en-US');
}

export function formatCost(cost: Cost): string {
  switch (cost.kind) {
    case 'priced':
      return cost.amountUsd === null ? missing : `$${cost.amountUsd.toFixed(cost.amountUsd < 0.1 ? 4 : 2)}`;
    case 'unpriced':
      return 'unpriced';
    case 'subscription':
      return 'subscription';
    case 'replay':
    case 'none':
      return missing;
  }
}

/** `0.4 s`, `12 s`, `3:05`. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return missing;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`;
}

export function formatReward(reward: number | null): string {
  return reward === null ? 'none' : reward.toFixed(2);
}

/** Local date and time to the minute. */
export function formatTime(iso: string): string {
  const date = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Cut at the end to `width` characters. */
export function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
