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

/** The text before the insertion; null when the inserted text does not stand there any more. */
export function withoutInsertion(after: string, { offset, inserted }: Insertion): string | null {
  const end = offset + inserted.length;
  return after.slice(offset, end) === inserted ? after.slice(0, offset) + after.slice(end) : null;
}
