import type { LineEdit } from '../../protocol/reviews.ts';

/** 0-based, as an editor's documents have it. */
interface Place {
  readonly line: number;
  readonly character: number;
}

/** What stands between two places becomes `text`. */
export interface PlacedEdit {
  readonly start: Place;
  readonly end: Place;
  readonly text: string;
}

/**
 * Line edits as places in a document. The last line of one without a line break at its end has no line after it: what
 * ends there ends at the end of the text.
 */
export function toPlaces(edits: readonly LineEdit[], endOfText: Place): PlacedEdit[] {
  const place = (line: number): Place => (line > endOfText.line ? endOfText : { line, character: 0 });
  return edits.map(({ after, count, text }) => ({ start: place(after), end: place(after + count), text }));
}
