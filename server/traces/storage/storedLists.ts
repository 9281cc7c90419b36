import type { ItemReader, ItemRef } from './items.ts';

/** Part of a stored list: what it adds to the part before it. */
interface ListNode {
  readonly before: ItemRef | null;
  readonly items: readonly unknown[];
}

/** Reads the lists of conversations part by part. What is made of a part is kept, for all lists that go on from it. */
export class StoredLists<T> {
  readonly #items: ItemReader;
  readonly #made = new Map<string, T>();

  constructor(items: ItemReader) {
    this.#items = items;
  }

  /** What `make` makes of a list's last part, and of those before it. `way` names it where there are several. */
  last(list: ItemRef, make: (before: T | null, items: readonly unknown[]) => T, way = ''): T | null {
    const unread: { key: string; items: readonly unknown[] }[] = [];
    let made: T | null = null;
    for (let at: ItemRef | null = list; at !== null; ) {
      const key = `${way} ${at}`;
      made = this.#made.get(key) ?? null;
      if (made !== null) break;
      const node = JSON.parse(this.#items.text(at)) as ListNode;
      unread.push({ key, items: node.items });
      at = node.before;
    }
    for (const { key, items } of unread.reverse()) {
      made = make(made, items);
      this.#made.set(key, made);
    }
    return made;
  }
}
