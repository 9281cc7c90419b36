import { redact } from '../base/redact/redact.ts';

/** The lines between the common start and the common end of two texts, `-` before the old and `+` before the new ones. */
export function changedLines(before: string, after: string): string {
  const old = linesOf(before);
  const now = linesOf(after);
  let start = 0;
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start++;
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  return [
    ...old.slice(start, old.length - end).map(line => `  - ${shortened(line)}`),
    ...now.slice(start, now.length - end).map(line => `  + ${shortened(line)}`),
  ].join('\n');
}

/** Bytes for people, to one decimal of the largest fitting unit. */
export function formatBytes(sizeBytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB'];
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${value} bytes` : `${value.toFixed(1)} ${units[unit]}`;
}

const shownWidth = 200;

/** A file on one line may be large, and hold what no terminal should show. */
function shortened(line: string): string {
  return line.length <= shownWidth ? redact(line) : `(a line of ${line.length} characters)`;
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
