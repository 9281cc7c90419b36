/** A text put into another one: what was there before it and after it is unchanged. */
export interface Insertion {
  /** In UTF-16 units of the text before. */
  readonly offset: number;
  readonly inserted: string;
}

/** How `after` comes from `before` by one insertion; null when it does not. */
export function insertionOf(before: string, after: string): Insertion | null {
  const added = after.length - before.length;
  if (added < 0) return null;
  let offset = 0;
  while (offset < before.length && before[offset] === after[offset]) offset++;
  // The longest common start is the right place whenever there is one: a later start can't be common.
  if (before.slice(offset) !== after.slice(offset + added)) return null;
  return { offset, inserted: after.slice(offset, offset + added) };
}

/** The text without the insertion, wherever it stands by now; null when it stands nowhere, or in several places. */
export function withoutInsertion(after: string, { offset, inserted }: Insertion): string | null {
  const at = after.startsWith(inserted, offset) ? offset : onlyIndexOf(after, inserted);
  return at === null ? null : after.slice(0, at) + after.slice(at + inserted.length);
}

function onlyIndexOf(text: string, part: string): number | null {
  const at = text.indexOf(part);
  return at >= 0 && at === text.lastIndexOf(part) ? at : null;
}
