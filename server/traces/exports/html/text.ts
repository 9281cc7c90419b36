import { visible } from '../../../../protocol/visibleText.ts';
import { escapeMarkup } from '../../../base/markup.ts';
import { beginningOf } from '../../sessions/beginning.ts';

/** Characters of one text that a page shows; the middle of a longer one is left out, and the page says so. */
export const shownLength = 20_000;
/** A line that no one can read is not laid out either: browsers take seconds for one of megabytes. */
const maxLineLength = 4000;

/** A name or a message, of which the beginning is enough. */
export function toHtmlName(text: string, length = 1000): string {
  return escapeMarkup(visible(text.length <= length ? text : `${beginningOf(text, length)}…`));
}

/** A text as it may stand in a page: cut, visible, escaped. `share` of what is shown otherwise, in (0,1]. */
export function toHtmlText(text: string, share = 1): string {
  return escapeMarkup(visible(cut(text, Math.floor(shownLength * share))));
}

/** A text as long as a page can show: without its middle, and without the ends of lines that no one reads. */
export function cut(text: string, length: number): string {
  const kept =
    text.length <= length
      ? text
      : `${text.slice(0, length / 2)}\n[… ${(text.length - length).toLocaleString('en-US')} of ${text.length.toLocaleString('en-US')} characters left out …]\n${text.slice(-length / 2)}`;
  if (kept.length <= maxLineLength) return kept;
  return kept
    .split('\n')
    .map(line =>
      line.length <= maxLineLength
        ? line
        : `${line.slice(0, maxLineLength)} [… ${(line.length - maxLineLength).toLocaleString('en-US')} more characters in this line]`,
    )
    .join('\n');
}
