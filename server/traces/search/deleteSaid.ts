import { type Sqlite, storageFault } from '../../base/sqlite.ts';
import type { ItemRef } from '../storage/items.ts';
import { type StoredExchange, StoredParts, saidKeys, storedColumns } from '../storage/storedParts.ts';

/** Few enough that no exchange waits long to be written. */
const rowsPerStep = 100;

interface Exchanges {
  readonly sessionId: string;
  /** The session's. */
  readonly seq: number;
  readonly lastSeq: number;
}

/**
 * Takes away the words of a session's exchanges up to one, in steps. What those behind it say again can be searched for
 * as theirs: where they go on from what was said, no words were taken of it a second time.
 */
export function* deleteSaid(database: Sqlite, exchanges: Exchanges): Generator<void, void> {
  const { seq, lastSeq } = exchanges;
  const kept = yield* saidBehind(database, exchanges);
  const rows = database.prepare(
    `SELECT id, key FROM said WHERE session_seq = ? AND exchange_seq <= ? LIMIT ${rowsPerStep}`,
  );
  const keep = database.prepare('UPDATE said SET exchange_seq = ? WHERE id = ?');
  const drop = database.prepare('DELETE FROM said WHERE id = ?');
  const dropText = database.prepare('DELETE FROM said_text WHERE rowid = ?');
  const step = database.transaction(() => {
    const said = rows.all(seq, lastSeq) as { id: number; key: number }[];
    for (const { id, key } of said) {
      const by = kept.get(key);
      if (by !== undefined) keep.run(by, id);
      else {
        dropText.run(id);
        drop.run(id);
      }
    }
    return said.length > 0;
  });
  while (step.immediate()) yield;
}

/** What is said behind those exchanges: the first exchange that says it, by its key. */
function* saidBehind(
  database: Sqlite,
  { sessionId, lastSeq }: Exchanges,
): Generator<void, ReadonlyMap<number, number>> {
  const behind = database
    .prepare('SELECT seq FROM exchanges INDEXED BY exchanges_by_session WHERE session_id = ? AND seq > ? ORDER BY seq')
    .pluck();
  const stored = database.prepare(`SELECT ${storedColumns} FROM exchanges WHERE seq = ?`);
  const parts = new StoredParts(database);
  const said = new Map<number, number>();
  const read = new Set<ItemRef>();
  for (const seq of behind.all(sessionId, lastSeq) as number[]) {
    for (const key of keysIn(parts, stored.get(seq) as StoredExchange, read)) if (!said.has(key)) said.set(key, seq);
    yield;
  }
  return said;
}

/** Without the lists that were read already. None of what can't be read: it must not keep the others back. */
function keysIn(parts: StoredParts, exchange: StoredExchange, read: Set<ItemRef>): number[] {
  try {
    const keys = parts.answered(exchange).flatMap(saidKeys);
    for (const { list, items } of parts.nodes(exchange)) {
      if (read.has(list)) break;
      read.add(list);
      keys.push(...parts.asked(exchange, items).flatMap(saidKeys));
    }
    return keys;
  } catch (error) {
    if (storageFault(error) !== null) throw error;
    return [];
  }
}
