/**
 * Where rows of differing heights stand when only those on the screen are drawn. A height is guessed until the row was
 * drawn once and measured. Nothing here touches the document.
 */
export class VirtualRows {
  #keys: readonly string[] = [];
  #places = new Map<string, number>();
  #guess: (key: string) => number = () => 0;
  readonly #measured = new Map<string, number>();
  /** Top of each row in pixels, and behind the last the height of all; null after something changed. */
  #tops: Float64Array | null = null;

  set(keys: readonly string[], guess: (key: string) => number): void {
    this.#keys = keys;
    this.#guess = guess;
    this.#places = new Map(keys.map((key, index) => [key, index]));
    this.#tops = null;
  }

  /** True when that moves what is below the row. */
  measure(key: string, heightPx: number): boolean {
    const before = this.#measured.get(key) ?? this.#guess(key);
    this.#measured.set(key, heightPx);
    if (Math.abs(before - heightPx) < 0.5) return false;
    this.#tops = null;
    return true;
  }

  get heightPx(): number {
    return this.topOf(this.#keys.length);
  }

  /** Of the row at an index; of the end for the number of rows. */
  topOf(index: number): number {
    return this.#allTops()[index] ?? 0;
  }

  indexOf(key: string): number | null {
    return this.#places.get(key) ?? null;
  }

  /** Rows of which a part lies between two heights: from the first, up to and without the second. */
  range(fromPx: number, toPx: number): [first: number, end: number] {
    const first = Math.max(0, this.#firstBelow(fromPx) - 1);
    return [first, Math.min(this.#keys.length, Math.max(first, this.#firstBelow(toPx)))];
  }

  /** Index of the first row that begins below a height. */
  #firstBelow(y: number): number {
    const tops = this.#allTops();
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((tops[middle] ?? 0) <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #allTops(): Float64Array {
    if (this.#tops !== null) return this.#tops;
    const tops = new Float64Array(this.#keys.length + 1);
    this.#keys.forEach((key, index) => {
      tops[index + 1] = (tops[index] ?? 0) + (this.#measured.get(key) ?? this.#guess(key));
    });
    this.#tops = tops;
    return tops;
  }
}
