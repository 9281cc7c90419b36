import { noFigure, plural } from '../../../protocol/figures.ts';
import { totalTokens, type Usage } from '../../../protocol/usage.ts';

export type Align = 'left' | 'right';

/** A plain table: two spaces between columns, a header, no rules. Empty rows give only the header. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly Align[] = [],
): string {
  const widths = header.map((title, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), title.length),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        align[column] === 'right' ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map(line)].join('\n');
}

/** The least that a last column is shortened to. */
const leastWidth = 12;

/**
 * A table whose last column is a text, for lines of `columns` characters: that text is shortened, and columns are left
 * out in the order of `spare` where it would become too short. All of it without `columns`.
 */
export function tableWithin(
  columns: number | undefined,
  spare: readonly string[],
  ...[header, rows, align = []]: Parameters<typeof table>
): string {
  if (columns === undefined) return table(header, rows, align);
  const lines = [header, ...rows];
  const width = (column: number) => lines.reduce((most, line) => Math.max(most, line[column]?.length ?? 0), 0);
  const widths = header.map((_, column) => width(column) + 2);
  const kept = new Set(header.keys());
  const last = header.length - 1;
  const left = () =>
    [...kept].reduce((rest, column) => (column === last ? rest : rest - (widths[column] ?? 0)), columns);
  for (const name of spare) if (left() < leastWidth) kept.delete(header.indexOf(name));
  const most = Math.max(leastWidth, left());
  const cells = (line: readonly string[]) =>
    [...kept].map(column => (column === last ? clip(line[column] ?? '', most) : (line[column] ?? '')));
  return table(
    cells(header),
    rows.map(cells),
    [...kept].map(column => align[column] ?? 'left'),
  );
}

/** Input + output tokens, to the token. */
export function formatTokens(usage: Usage): string {
  const total = totalTokens(usage);
  return total === null ? noFigure : total.toLocaleString('en-US');
}

/** `1 exchange`, `2 exchanges`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${plural(count, noun)}`;
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
