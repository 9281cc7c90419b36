import type { Hunk, LineEdit } from '../../../protocol/reviews.ts';

/** Lines with their line breaks, of bytes in any encoding that keeps ASCII: one character stands for one byte. */
function linesOf(content: Buffer): string[] {
  const lines = content.toString('latin1').split(/(?<=\n)/);
  return lines[0] === '' ? [] : lines;
}

/** Lines before the hunk's place in the start. */
const before = ({ line, count }: Hunk['start']): number => (count === 0 ? line : line - 1);

const taken = (lines: readonly string[], side: Hunk['end']): string[] =>
  lines.slice(before(side), before(side) + side.count);

/** The start with some hunks of the change and not the others. */
export function acceptHunks(start: Buffer, end: Buffer, hunks: readonly Hunk[], accepted: ReadonlySet<number>): Buffer {
  const [from, to] = [linesOf(start), linesOf(end)];
  const made: string[] = [];
  let at = 0;
  for (const [index, hunk] of hunks.entries()) {
    if (!accepted.has(index)) continue;
    made.push(from.slice(at, before(hunk.start)).join(''), taken(to, hunk.end).join(''));
    at = before(hunk.start) + hunk.start.count;
  }
  return Buffer.from([...made, from.slice(at).join('')].join(''), 'latin1');
}

/** Edits that make `to` of the text that the hunks start from. Both are UTF-8. */
export function toLineEdits(to: Buffer, hunks: readonly Hunk[]): LineEdit[] {
  const lines = linesOf(to);
  return hunks.map(({ start, end }) => ({
    after: before(start),
    count: start.count,
    text: Buffer.from(taken(lines, end).join(''), 'latin1').toString(),
  }));
}

/** What an editor's document keeps byte by byte: UTF-8 without a mark, one kind of line break. Null for anything else. */
export function lineBreakOf(content: Buffer): '\n' | '\r\n' | 'none' | null {
  const text = content.toString();
  if (text.startsWith('\uFEFF') || !Buffer.from(text).equals(content)) return null;
  const [all, carried, returns] = [/\n/g, /\r\n/g, /\r/g].map(pattern => text.match(pattern)?.length ?? 0);
  if (returns !== carried) return null;
  if (all === 0) return 'none';
  return carried === 0 ? '\n' : carried === all ? '\r\n' : null;
}

/** `content` with the line breaks of a checked-out file, where git turned all of that file's into LF. */
export function withLineBreaksOf(checkedOut: Buffer, base: Buffer, content: Buffer): Buffer {
  if (lineBreakOf(checkedOut) !== '\r\n' || base.includes('\r') || content.includes('\r')) return content;
  return Buffer.from(content.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}
