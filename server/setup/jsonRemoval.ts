import { createScanner, type Node } from 'jsonc-parser';

/** A JSON text without one property of an object and without the comma that is one too many then. Comments stay. */
export function withoutProperty(text: string, property: Node): string {
  const siblings = property.parent?.children ?? [];
  const previous = siblings[siblings.indexOf(property) - 1];
  const start = property.offset;
  const end = start + property.length;
  const next = commaAfter(text, end);
  if (next !== null) {
    if (isBlank(text, end, next)) return cut(text, start, next + 1);
    return cut(cut(text, next, next + 1), start, end);
  }
  const before = previous === undefined ? null : commaAfter(text, previous.offset + previous.length);
  if (before === null) return cut(text, start, end);
  if (isBlank(text, before + 1, start)) return text.slice(0, before) + text.slice(end);
  const without = cut(text, start, end);
  return without.slice(0, before) + without.slice(before + 1);
}

/** Offset of the comma that comes next but for spaces and comments; null when something else does. */
function commaAfter(text: string, from: number): number | null {
  const scanner = createScanner(text, true);
  scanner.setPosition(from);
  scanner.scan();
  const at = scanner.getTokenOffset();
  return text[at] === ',' ? at : null;
}

/** Takes whole lines where nothing else stands on them, and else the spaces that would be doubled. */
function cut(text: string, start: number, end: number): string {
  const before = text.slice(0, start);
  const after = text.slice(end);
  const indent = /(?<=\n)[ \t]*$/.exec(before);
  const lineEnd = /^[ \t]*\r?\n/.exec(after);
  if (indent !== null && lineEnd !== null) return before.slice(0, indent.index) + after.slice(lineEnd[0].length);
  return before + (/\s$/.test(before) ? after.replace(/^[ \t]+/, '') : after);
}

function isBlank(text: string, start: number, end: number): boolean {
  return text.slice(start, end).trim() === '';
}
