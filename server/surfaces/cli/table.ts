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

/** How a table gives way on a terminal that is too narrow for it. */
export interface Fit {
  /** Titles of columns that are left out, in this order, where the text would become shorter than `least`. */
  readonly spare: readonly string[];
  /** Title of the column whose texts are shortened; without it, none are. */
  readonly text?: string;
  readonly least?: number;
  readonly shorten?: (text: string, width: number) => string;
}

type Lines = readonly (readonly string[])[];
type Table = Parameters<typeof table>;

const between = 2;
const widthIn = (lines: Lines, column: number) =>
  lines.reduce((most, line) => Math.max(most, line[column]?.length ?? 0), 0);

/** For lines of `columns` characters; all of the table without `columns`. */
export function tableWithin(
  columns: number | undefined,
  { spare, text, least = 12, shorten = clip }: Fit,
  ...[header, rows, align = []]: Table
): string {
  if (columns === undefined) return table(header, rows, align);
  const lines = [header, ...rows];
  const widths = header.map((_, column) => widthIn(lines, column));
  const at = text === undefined ? -1 : header.indexOf(text);
  const own = widths[at] ?? 0;
  const kept = new Set(header.keys());
  const left = () =>
    [...kept].reduce((rest, column) => rest - (column === at ? 0 : (widths[column] ?? 0)), columns) -
    between * (kept.size - 1);
  for (const name of spare) if (left() < Math.min(least, own)) kept.delete(header.indexOf(name));
  const most = Math.max(least, left());
  const cells = (line: readonly string[]) =>
    [...kept].map(column => (column === at ? shorten(line[column] ?? '', most) : (line[column] ?? '')));
  return table(
    cells(header),
    rows.map(cells),
    [...kept].map(column => align[column] ?? 'left'),
  );
}

/** Whether a table fits into such lines as it is. */
export function fits(columns: number | undefined, ...[header, rows]: Table): boolean {
  const lines = [header, ...rows];
  const width = header.reduce((sum, _, column) => sum + between + widthIn(lines, column), -between);
  return columns === undefined || width <= columns;
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

/** Cut at the beginning to `width` characters: of a path, the end tells most. */
export function clipStart(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(text.length - width + 1)}`;
}

/** Cut at the end to `width` characters. */
export function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
