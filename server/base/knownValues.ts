import type { SecretSpan } from './secretSpan.ts';

/** Shorter values are no secrets: they would blank ordinary words. */
export const minKnownLength = 6;

/** Values that are secret wherever they stand, in the ways they may be written. */
export class KnownValues {
  readonly #values = new Set<string>();
  /** Built when it is first needed after a change. */
  #search: Search | null = null;

  constructor(values: Iterable<string> = []) {
    for (const value of values) this.add(value);
  }

  /** False when it is known already, or too short to be a secret. */
  add(value: string): boolean {
    if (value.length < minKnownLength || this.#values.has(value)) return false;
    this.#values.add(value);
    this.#search = null;
    return true;
  }

  delete(value: string): void {
    if (this.#values.delete(value)) this.#search = null;
  }

  spans(text: string): SecretSpan[] {
    const found: SecretSpan[] = [];
    if (this.#values.size === 0) return found;
    this.#search ??= new Search([...this.#values].flatMap(forms));
    for (let span = this.#search.next(text, 0); span !== null; span = this.#search.next(text, span.start + 1)) {
      found.push(span);
    }
    return found;
  }

  isIn(text: string): boolean {
    if (this.#values.size === 0) return false;
    this.#search ??= new Search([...this.#values].flatMap(forms));
    return this.#search.next(text, 0) !== null;
  }
}

/** As itself, in JSON, in JSON in JSON, as bytes that were read as Latin-1, in hex, and in UTF-16 as itself and in JSON. */
function forms(value: string): string[] {
  const escaped = JSON.stringify(value).slice(1, -1);
  const bytes = Buffer.from(value);
  const hex = bytes.toString('hex');
  const wide = [...value].join('\0');
  return [
    ...new Set([
      value,
      escaped,
      JSON.stringify(escaped).slice(1, -1),
      bytes.toString('latin1'),
      hex,
      hex.toUpperCase(),
      wide,
      JSON.stringify(wide).slice(1, -1),
    ]),
  ];
}

const blockLength = 3;
const maxWindow = 16;
const tableSize = 1 << 16;

/**
 * All forms in one pass (Wu and Manber, "A fast algorithm for multi-pattern searching", 1994): three characters tell how
 * far the next form can begin at the earliest, so most places of a text are never looked at, however many forms there are.
 */
class Search {
  /** As much of every form as decides where it may stand. */
  readonly #window: number;
  readonly #shifts = new Uint8Array(tableSize);
  /** By their first characters, the longest first. */
  readonly #byBeginning = new Map<string, string[]>();

  constructor(texts: readonly string[]) {
    this.#window = texts.reduce((least, { length }) => Math.min(least, length), maxWindow);
    this.#shifts.fill(this.#window - blockLength + 1);
    for (const text of [...texts].sort((a, b) => b.length - a.length)) {
      for (let end = blockLength; end <= this.#window; end++) {
        const block = blockBefore(text, end);
        this.#shifts[block] = Math.min(this.#shifts[block] ?? 0, this.#window - end);
      }
      const beginning = text.slice(0, minKnownLength);
      const others = this.#byBeginning.get(beginning);
      if (others === undefined) this.#byBeginning.set(beginning, [text]);
      else others.push(text);
    }
  }

  /** The first that begins at `from` or later. */
  next(text: string, from: number): SecretSpan | null {
    for (let end = from + this.#window; end <= text.length; ) {
      const shift = this.#shifts[blockBefore(text, end)] ?? 0;
      if (shift === 0) {
        const start = end - this.#window;
        const candidates = this.#byBeginning.get(text.slice(start, start + minKnownLength));
        const found = candidates?.find(candidate => text.startsWith(candidate, start));
        if (found !== undefined) return { start, end: start + found.length, kind: 'known value' };
      }
      end += shift || 1;
    }
    return null;
  }
}

function blockBefore(text: string, end: number): number {
  const first = text.charCodeAt(end - 3) << 10;
  const second = text.charCodeAt(end - 2) << 5;
  return (first ^ second ^ text.charCodeAt(end - 1)) & (tableSize - 1);
}
