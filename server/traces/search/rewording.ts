import type { ConversationItem } from '../../../protocol/sessions.ts';
import { type Sqlite, storageFault } from '../../base/sqlite.ts';
import { type StoredExchange, StoredParts, storedColumns } from '../storage/storedParts.ts';
import { searchable } from './searchIndex.ts';

interface Unworded extends StoredExchange {
  readonly id: number;
  readonly kind: ConversationItem['kind'];
  readonly key: number;
  readonly exchange_seq: number;
}

type Texts = ReturnType<StoredParts['textsOf']>;

/**
 * Takes the words anew of what was said before this version's idea of a word, from the newest on. What is found out by
 * `SearchIndex` besides stays as it is, and goes on meanwhile.
 */
export class Rewording {
  readonly #database: Sqlite;
  readonly #parts: StoredParts;
  readonly #through;
  readonly #next;
  readonly #putText;
  readonly #advance;

  constructor(database: Sqlite) {
    this.#database = database;
    this.#parts = new StoredParts(database);
    this.#through = database.prepare('SELECT unworded_through FROM indexed').pluck();
    // A number that was given again since has its words.
    this.#next = database.prepare(`
      SELECT said.id, said.kind, said.key, said.exchange_seq, ${storedColumns}
      FROM said JOIN exchanges ON exchanges.seq = said.exchange_seq
      WHERE said.id <= ? AND NOT EXISTS (SELECT 1 FROM said_text WHERE said_text.rowid = said.id)
      ORDER BY said.id DESC`);
    this.#putText = database.prepare('INSERT INTO said_text (rowid, text) VALUES (?, ?)');
    this.#advance = database.prepare('UPDATE indexed SET unworded_through = ?');
  }

  /** Does as much as it can in that time, in one commit. Returns false when none is left. */
  advance(forMs: number): boolean {
    const through = this.#through.get() as number;
    if (through === 0) return false;
    const step = this.#database.transaction(() => {
      // Writing them takes as long as reading.
      const { texts, left } = this.#textsUpTo(through, performance.now() + forMs / 2);
      // In rising order they become one part of the index.
      for (const [id, text] of texts.reverse()) this.#putText.run(id, text);
      this.#advance.run(left);
      return left > 0;
    });
    return step.immediate();
  }

  /** Texts by their falling ids, and the id up to which there are more. */
  #textsUpTo(through: number, untilMs: number): { texts: [number, string][]; left: number } {
    const texts: [number, string][] = [];
    let exchange = 0;
    let inExchange: Texts = () => null;
    for (const row of this.#next.iterate(through) as IterableIterator<Unworded>) {
      if (row.exchange_seq !== exchange) inExchange = this.#parts.textsOf(row);
      exchange = row.exchange_seq;
      const text = textOf(inExchange, row);
      if (text !== null) texts.push([row.id, searchable({ kind: row.kind, text })]);
      if (performance.now() >= untilMs) return { texts, left: row.id - 1 };
    }
    return { texts, left: 0 };
  }
}

/** Null for what can't be read: it must not keep the others back. */
function textOf(read: Texts, { kind, key }: Unworded): string | null {
  try {
    return read(kind, key);
  } catch (error) {
    if (storageFault(error) !== null) throw error;
    return null;
  }
}
