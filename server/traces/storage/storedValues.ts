import { isObject } from '../json.ts';
import type { ItemReader, ItemRef } from './items.ts';
import { refAt } from './packing.ts';

/** Characters of JSON whose values are kept at hand: instructions and tools come with every exchange. */
const maxKeptLength = 4_000_000;

/** Puts values in place of references, one object for all that refer to the same. */
export class StoredValues {
  readonly #items: ItemReader;
  readonly #values = new Map<ItemRef, unknown>();
  #keptLength = 0;

  constructor(items: ItemReader) {
    this.#items = items;
  }

  /** A request or a reply with its references expanded; a list of a conversation has none here. */
  whole(value: unknown): unknown {
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [
        name,
        Array.isArray(field) ? field.map(element => this.#resolve(element)) : this.#resolve(field),
      ]),
    );
  }

  #resolve(value: unknown): unknown {
    const item = refAt(value, '$item');
    if (item === null) return value;
    if (this.#values.has(item)) return this.#values.get(item);
    const text = this.#items.text(item);
    if (this.#keptLength > maxKeptLength) {
      this.#values.clear();
      this.#keptLength = 0;
    }
    this.#keptLength += text.length;
    const resolved: unknown = JSON.parse(text);
    this.#values.set(item, resolved);
    return resolved;
  }
}
