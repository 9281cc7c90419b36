import { hash } from 'node:crypto';
import type { Sqlite } from '../../base/sqlite.ts';
import { packItems, unpackItems } from '../events/packedItems.ts';

/** Number of an item, or its hash in what the first version stored. */
export type ItemRef = number | string;

/** Characters of unpacked items that a reader keeps at hand. */
const maxKeptLength = 1_000_000;

/** The row that an item lies in, if it is there. */
const nextRow = 'SELECT last_item FROM items WHERE last_item >= ? ORDER BY last_item LIMIT 1';
const contentOf = 'SELECT content FROM items WHERE last_item = ?';

/** 128 bits tell items apart as well as 256 do. */
const hashBytes = 16;

/** Reads items. They lie in rows of those that were stored together, under the number of the last of them. */
export class ItemReader {
  readonly #row;
  readonly #content;
  readonly #numberOf;
  readonly #kept = new Map<number, readonly string[]>();
  #keptLength = 0;

  constructor(database: Sqlite) {
    this.#row = database.prepare(nextRow).pluck();
    this.#content = database.prepare(contentOf).pluck();
    this.#numberOf = database.prepare('SELECT item FROM item_hashes WHERE hash = ?').pluck();
  }

  /** @throws Error when the item is not there */
  text(ref: ItemRef): string {
    const item = this.numberOf(ref);
    const last = (this.#row.get(item) as number | undefined) ?? 0;
    const fromEnd = last - item + 1;
    const kept = this.#kept.get(last) ?? [];
    // It may have grown since, see ItemMerger.
    const texts = fromEnd <= kept.length || last === 0 ? kept : this.#read(last);
    const text = texts.at(-fromEnd);
    if (!text) throw new Error(`The stored part ${ref} is missing.`);
    return text;
  }

  /** @throws Error when there is no such item */
  numberOf(ref: ItemRef): number {
    const item = typeof ref === 'number' ? ref : this.#numberOf.get(Buffer.from(ref, 'hex').subarray(0, hashBytes));
    if (item === undefined) throw new Error(`The stored part ${ref} is missing.`);
    return item as number;
  }

  #read(last: number): readonly string[] {
    const texts = unpackItems(this.#content.get(last) as Buffer);
    if (this.#keptLength > maxKeptLength) {
      this.#kept.clear();
      this.#keptLength = 0;
    }
    this.#kept.set(last, texts);
    this.#keptLength += lengthOf(texts);
    return texts;
  }
}

/** Stores items, those between two calls of `flush` together. To be used within a transaction. */
export class ItemStore {
  readonly #next;
  readonly #numberOf;
  readonly #putHash;
  readonly #putRow;
  #first = 0;
  #waiting: string[] = [];

  constructor(database: Sqlite) {
    this.#next = database
      .prepare("SELECT 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'items'), 0)")
      .pluck();
    this.#numberOf = database.prepare('SELECT item FROM item_hashes WHERE hash = ?').pluck();
    this.#putHash = database.prepare('INSERT INTO item_hashes (hash, item) VALUES (?, ?)');
    this.#putRow = database.prepare('INSERT INTO items (last_item, content) VALUES (?, ?)');
  }

  /** The number of a text that is stored already, or is from now on. */
  put(text: string): number {
    const key = hashOf(text);
    const known = this.#numberOf.get(key) as number | undefined;
    if (known !== undefined) return known;
    const item = this.append(text);
    this.#putHash.run(key, item);
    return item;
  }

  /** Stores a text that will not come again. */
  append(text: string): number {
    if (this.#waiting.length === 0) this.#first = this.#next.get() as number;
    return this.#first + this.#waiting.push(text) - 1;
  }

  flush(): void {
    if (this.#waiting.length > 0) {
      this.#putRow.run(this.#first + this.#waiting.length - 1, packItems(this.#waiting));
    }
    this.discard();
  }

  /** The transaction failed: what was put in it is not there. */
  discard(): void {
    this.#waiting = [];
  }
}

/** Takes items away; what is stored with them stays. */
export function deleteItems(database: Sqlite, items: readonly number[]): void {
  const rowOf = database.prepare(nextRow).pluck();
  const content = database.prepare(contentOf).pluck();
  const rows = new Map<number, string[] | null>();
  const dropHash = database.prepare('DELETE FROM item_hashes WHERE hash = ? AND item = ?');
  for (const item of items) {
    const last = rowOf.get(item) as number | undefined;
    if (last === undefined) continue;
    if (!rows.has(last)) rows.set(last, readable(content.get(last) as Buffer));
    const texts = rows.get(last);
    const index = (texts?.length ?? 0) - 1 - (last - item);
    if (!texts?.[index]) continue;
    dropHash.run(hashOf(texts[index]), item);
    texts[index] = '';
  }
  const drop = database.prepare('DELETE FROM items WHERE last_item = ?');
  const replace = database.prepare('UPDATE items SET content = ? WHERE last_item = ?');
  for (const [last, texts] of rows) {
    if (texts === null) dropUnreadable(database, last);
    else if (texts.every(text => text === '')) drop.run(last);
    else replace.run(packItems(texts), last);
  }
}

/** Null for a row that is damaged. */
function readable(content: Buffer): string[] | null {
  try {
    return unpackItems(content);
  } catch {
    return null;
  }
}

/** Its items can't go one by one: it goes as a whole, once no session uses any of them. */
function dropUnreadable(database: Sqlite, last: number): void {
  const before = database.prepare('SELECT max(last_item) FROM items WHERE last_item < ?').pluck().get(last) ?? 0;
  const isUsed = database.prepare('SELECT 1 FROM item_uses WHERE item > ? AND item <= ? LIMIT 1').pluck();
  if (isUsed.get(before, last) !== undefined) return;
  database.prepare('DELETE FROM items WHERE last_item = ?').run(last);
  database.prepare('DELETE FROM item_hashes WHERE item > ? AND item <= ?').run(before, last);
}

/** Bytes that a row has at least once rows were merged; twice as many at most, unless it was larger before. */
const mergedBytes = 48 * 1024;
/** Characters of all texts of such a row, however well they compress: more would take longer than a step may. */
const maxMergedLength = 2_000_000;
/** Numbers from one row to the next beyond which they stay apart: what is between them was deleted. */
const maxSpan = 10_000;

/**
 * Puts the items of several exchanges into one row: what an agent reads again, and how a project is written, is then
 * compressed with what is like it, and rows leave less of their pages empty. Numbers stay.
 */
export class ItemMerger {
  readonly #database: Sqlite;
  readonly #sizes;
  readonly #content;
  readonly #drop;
  readonly #replace;
  readonly #advance;

  constructor(database: Sqlite) {
    this.#database = database;
    this.#sizes = database.prepare(`
      SELECT last_item, length(content) FROM items
      WHERE last_item > (SELECT merged_through FROM indexed) ORDER BY last_item`);
    this.#content = database.prepare(contentOf).pluck();
    this.#drop = database.prepare('DELETE FROM items WHERE last_item = ?');
    this.#replace = database.prepare('UPDATE items SET content = ? WHERE last_item = ?');
    this.#advance = database.prepare('UPDATE indexed SET merged_through = ?');
  }

  /** Makes one row of the oldest that were not merged yet. Returns false when there is too little for one. */
  advance(): boolean {
    const merge = this.#database.transaction(() => {
      const next = this.#next();
      if (next.length === 0) return false;
      const texts = this.#readable(next);
      // One that can't be read stays as it is, and must not keep the others back.
      const rows = next.slice(0, Math.max(1, texts.length));
      const last = rows.at(-1) as number;
      if (texts.length > 1) {
        for (const row of rows) if (row !== last) this.#drop.run(row);
        this.#replace.run(packItems(inOneRow(rows, texts)), last);
      }
      this.#advance.run(last);
      return true;
    });
    return merge.immediate();
  }

  /** What is in these rows, up to the first that is damaged, and to as much as one row should hold. */
  #readable(rows: readonly number[]): string[][] {
    const texts: string[][] = [];
    let length = 0;
    for (const row of rows) {
      const read = readable(this.#content.get(row) as Buffer);
      if (read === null) break;
      texts.push(read);
      length += lengthOf(read);
      if (length > maxMergedLength) break;
    }
    return texts;
  }

  /** Rows to become one, of at least the size that is wanted; none when there is too little. */
  #next(): number[] {
    const rows: number[] = [];
    let size = 0;
    for (const [row, bytes] of this.#sizes.raw().iterate() as IterableIterator<[number, number]>) {
      const isFar = row - (rows.at(-1) ?? row) > maxSpan;
      if (rows.length > 0 && (isFar || size + bytes > 2 * mergedBytes)) return rows;
      rows.push(row);
      size += bytes;
      if (size >= mergedBytes) return rows;
    }
    return [];
  }
}

/** The texts of these rows in a row; numbers of deleted items have an empty one. */
function inOneRow(rows: readonly number[], texts: readonly string[][]): string[] {
  const whole = [...(texts[0] ?? [])];
  for (let index = 1; index < rows.length; index++) {
    const missing = (rows[index] as number) - (rows[index - 1] as number) - (texts[index]?.length ?? 0);
    whole.push(...Array<string>(missing).fill(''), ...(texts[index] ?? []));
  }
  return whole;
}

/** Characters of all of them. */
function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

function hashOf(text: string): Buffer {
  return hash('sha256', text, 'buffer').subarray(0, hashBytes);
}
