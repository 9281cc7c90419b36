/** What takes a value out of what it writes. */
interface Hiding {
  hide(value: string): void;
  forget(value: string): void;
}

/** So many are hidden beside those that last: every text is searched for each. */
export const maxHiddenValues = 200;

/**
 * Values that are secret wherever they stand, in this process only. The server's own and those of trials last as long as
 * it does; of those that launches and requests bring, the latest are kept.
 */
export class HiddenValues {
  readonly #places: readonly Hiding[];
  readonly #lasting = new Set<string>();
  /** The one not used for the longest time first. */
  readonly #latest = new Set<string>();

  constructor(places: readonly Hiding[]) {
    this.#places = places;
  }

  keep(values: Iterable<string>): void {
    for (const value of values) {
      if (this.#lasting.has(value)) continue;
      this.#lasting.add(value);
      if (!this.#latest.delete(value)) this.#hide(value);
    }
  }

  hide(values: Iterable<string>): void {
    for (const value of values) {
      if (this.#lasting.has(value)) continue;
      const isKnown = this.#latest.delete(value);
      this.#latest.add(value);
      if (!isKnown) this.#hide(value);
    }
    for (const oldest of this.#latest) {
      if (this.#latest.size <= maxHiddenValues) break;
      this.#latest.delete(oldest);
      for (const place of this.#places) place.forget(oldest);
    }
  }

  #hide(value: string): void {
    for (const place of this.#places) place.hide(value);
  }
}
