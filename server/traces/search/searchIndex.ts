import { type Sqlite, storageFault } from '../../base/sqlite.ts';
import type { Utterance } from '../dialects/dialect.ts';
import { referencesIn, type StoredExchange, StoredParts, saidKey, storedColumns } from '../storage/storedParts.ts';
import { separated } from './wordMatch.ts';

/** Of a tool's output only the beginning can be searched for: it is most of the text and least of what was said. */
const maxOutputLength = 2000;
const maxTextLength = 20_000;

interface ExchangeRow extends StoredExchange {
  readonly seq: number;
  readonly session_seq: number;
}

/**
 * Follows the exchanges with what is not needed at once: which items a session uses, and the words that were said in it.
 * Both come from what is stored alone, so they are made up for whatever was recorded before or during a crash.
 */
export class SearchIndex {
  readonly #database: Sqlite;
  readonly #parts: StoredParts;
  readonly #next;
  readonly #through;
  readonly #isUsed;
  readonly #use;
  readonly #put;
  readonly #putText;
  readonly #advance;

  constructor(database: Sqlite) {
    this.#database = database;
    this.#parts = new StoredParts(database);
    this.#next = database.prepare(`
      SELECT exchanges.seq, sessions.seq AS session_seq, ${storedColumns}
      FROM exchanges JOIN sessions ON sessions.id = session_id
      WHERE exchanges.seq > ? ORDER BY exchanges.seq LIMIT 1`);
    this.#through = database.prepare('SELECT through_seq FROM indexed').pluck();
    this.#isUsed = database.prepare('SELECT 1 FROM item_uses WHERE session_seq = ? AND item = ?').pluck();
    this.#use = database.prepare('INSERT INTO item_uses (session_seq, item) VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#put = database
      .prepare(
        `INSERT INTO said (session_seq, exchange_seq, kind, key) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`,
      )
      .pluck();
    this.#putText = database.prepare('INSERT INTO said_text (rowid, text) VALUES (?, ?)');
    this.#advance = database.prepare('UPDATE indexed SET through_seq = ?');
  }

  /** Whether there are exchanges whose words were not taken in yet. */
  static isBehind(database: Sqlite): boolean {
    return (
      database
        .prepare(
          `SELECT 1 FROM indexed
           WHERE unworded_through > 0 OR EXISTS (SELECT 1 FROM exchanges WHERE seq > through_seq)`,
        )
        .pluck()
        .get() !== undefined
    );
  }

  /**
   * Takes in as many exchanges as it can in that time, one at least, in one commit: with each, the words become a part of
   * the index of their own, and merging those takes longer than finding the words. Returns false when none is left.
   */
  advance(forMs: number): boolean {
    const step = this.#database.transaction(() => {
      const untilMs = performance.now() + forMs;
      const before = this.#through.get() as number;
      let through = before;
      let row: ExchangeRow | undefined;
      do {
        row = this.#next.get(through) as ExchangeRow | undefined;
        if (row === undefined) break;
        this.#indexIfReadable(row);
        through = row.seq;
      } while (performance.now() < untilMs);
      if (through !== before) this.#advance.run(through);
      return row !== undefined;
    });
    return step.immediate();
  }

  /** One that can't be read, such as of a dialect's later version, must not keep the others back. */
  #indexIfReadable(row: ExchangeRow): void {
    try {
      this.#index(row);
    } catch (error) {
      if (storageFault(error) !== null) throw error;
    }
  }

  #index(row: ExchangeRow): void {
    const used = this.#parts.references(row);
    const added: unknown[][] = [];
    for (const { list, items } of this.#parts.nodes(row)) {
      const [node, ...parts] = this.#parts.numbers([list, ...referencesIn(items)]);
      // Its own predecessors are known with it.
      if (this.#isUsed.get(row.session_seq, node) !== undefined) break;
      used.push(node as number, ...parts);
      added.unshift([...items]);
    }
    for (const item of used.sort((a, b) => a - b)) this.#use.run(row.session_seq, item);
    const said = [...this.#parts.asked(row, added.flat()), ...this.#parts.answered(row)];
    for (const utterance of said) this.#say(row, utterance);
  }

  #say(row: ExchangeRow, said: Utterance): void {
    // The program's own instructions are in every session, and are not what was said in it.
    if (said.kind === 'system' || said.text.trim() === '') return;
    const id = this.#put.get(row.session_seq, row.seq, said.kind, saidKey(said)) as number | undefined;
    if (id !== undefined) this.#putText.run(id, searchable(said));
  }
}

/** What of it is searched. */
export function searchable({ kind, text }: Pick<Utterance, 'kind' | 'text'>): string {
  return separated(text.slice(0, kind === 'toolOutput' ? maxOutputLength : maxTextLength));
}
