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

  has(value: string): boolean {
    return this.#values.has(value);
  }

  delete(value: string): void {
    if (this.#values.delete(value)) this.#search = null;
  }

  spans(text: string): SecretSpan[] {
    const found: SecretSpan[] = [];
    if (this.#values.size === 0) return found;
    this.#search ??= new Search([...this.#values].flatMap(forms));
    for (let place = this.#search.next(text, 0); place !== null; place = this.#search.next(text, place.at + 1)) {
      found.push(spanOf(text, place));
    }
    return found;
  }

  isIn(text: string): boolean {
    if (this.#values.size === 0) return false;
    this.#search ??= new Search([...this.#values].flatMap(forms));
    return this.#search.next(text, 0) !== null;
  }
}

/** A way to write a value. */
interface Form {
  readonly text: string;
  /** Characters of base64 before and after it that stand for a bit of the value and for a bit of what is beside it. */
  readonly before: number;
  readonly after: number;
}

interface Place {
  readonly at: number;
  readonly form: Form;
}

const restOfBase64 = /[\w+/-]?={0,2}/y;

function spanOf(text: string, { at, form }: Place): SecretSpan {
  let end = at + form.text.length;
  if (form.after > 0) {
    restOfBase64.lastIndex = end;
    end += restOfBase64.exec(text)?.[0].length ?? 0;
  }
  return { start: Math.max(0, at - form.before), end, kind: 'known value' };
}

/**
 * As itself, in JSON, in JSON in JSON, as bytes that were read as Latin-1, in hex, in base64, and in UTF-16 as itself
 * and in JSON.
 */
function forms(value: string): Form[] {
  const escaped = JSON.stringify(value).slice(1, -1);
  const bytes = Buffer.from(value);
  const hex = bytes.toString('hex');
  const wide = [...value].join('\0');
  const texts = [
    value,
    escaped,
    JSON.stringify(escaped).slice(1, -1),
    bytes.toString('latin1'),
    hex,
    hex.toUpperCase(),
    wide,
    JSON.stringify(wide).slice(1, -1),
  ];
  const inBase64 = [0, 1, 2].flatMap(offset => base64Forms(bytes, offset));
  const all = [...texts.map(text => ({ text, before: 0, after: 0 })), ...inBase64];
  return [...new Map(all.map(form => [form.text, form])).values()];
}

/** The characters that are the same whatever stands before and after it. `offset`: bytes before it, modulo 3. */
function base64Forms(bytes: Buffer, offset: number): Form[] {
  const fromBits = offset * 8;
  const toBits = fromBits + bytes.length * 8;
  const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
  return (['base64', 'base64url'] as const).map(encoding => ({
    text: shifted.toString(encoding).slice(Math.ceil(fromBits / 6), Math.floor(toBits / 6)),
    before: fromBits % 6 === 0 ? 0 : 1,
    after: toBits % 6 === 0 ? 0 : 1,
  }));
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
  readonly #byBeginning = new Map<string, Form[]>();

  constructor(all: readonly Form[]) {
    this.#window = all.reduce((least, { text }) => Math.min(least, text.length), maxWindow);
    this.#shifts.fill(this.#window - blockLength + 1);
    for (const form of [...all].sort((a, b) => b.text.length - a.text.length)) {
      const { text } = form;
      for (let end = blockLength; end <= this.#window; end++) {
        const block = blockBefore(text, end);
        this.#shifts[block] = Math.min(this.#shifts[block] ?? 0, this.#window - end);
      }
      const beginning = text.slice(0, minKnownLength);
      const others = this.#byBeginning.get(beginning);
      if (others === undefined) this.#byBeginning.set(beginning, [form]);
      else others.push(form);
    }
  }

  /** The first that begins at `from` or later. */
  next(text: string, from: number): Place | null {
    for (let end = from + this.#window; end <= text.length; ) {
      const shift = this.#shifts[blockBefore(text, end)] ?? 0;
      if (shift === 0) {
        const at = end - this.#window;
        const candidates = this.#byBeginning.get(text.slice(at, at + minKnownLength));
        const form = candidates?.find(candidate => text.startsWith(candidate.text, at));
        if (form !== undefined) return { at, form };
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
