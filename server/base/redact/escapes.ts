/** What stands behind the backslash of an escape, as it comes before a word: `\n`, `\u003e`, `\x1b`. */
const escapeTail = /(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrtbf])/y;

/** Where a word begins that an escape's letters seem to begin: the same place when there is no escape before it. */
export function behindEscape(text: string, start: number): number {
  if (text.charCodeAt(start - 1) !== 92) return start;
  escapeTail.lastIndex = start;
  return escapeTail.test(text) ? escapeTail.lastIndex : start;
}
