import { emptyJournal, type Sqlite } from '../../base/sqlite.ts';
import { deleteSaid } from '../search/deleteSaid.ts';
import type { SearchIndex } from '../search/searchIndex.ts';
import { deleteItems } from '../storage/items.ts';
import { lastNumber } from '../storage/records.ts';
import { countDeleted } from '../usage/spending.ts';
import { UsageTotals } from '../usage/totals.ts';

/** What may be kept; 0 means no limit. */
export interface RetentionLimits {
  readonly keepDays: number;
  readonly maxMegabytes: number;
}

/** Which sessions to delete. */
export type PruneSelection =
  | { readonly kind: 'sessions'; readonly ids: readonly string[] }
  /** Sessions whose last activity was before this time, epoch ms. */
  | { readonly kind: 'before'; readonly atMs: number }
  | { readonly kind: 'all' };

export interface PruneReport {
  readonly sessions: number;
  readonly exchanges: number;
  readonly freedBytes: number;
}

/** What was deleted so far. */
type Deleted = { -readonly [figure in keyof PruneReport]: number };

/** Codex's own file of a replay is none of a model's answers, also once nothing else tells. */
const keepReplay = `
  INSERT OR IGNORE INTO deleted_replays
  SELECT id FROM sessions WHERE id = ? AND agent = 'codex'
    AND EXISTS (SELECT 1 FROM usage_totals WHERE session_seq = seq)
    AND NOT EXISTS (SELECT 1 FROM usage_totals WHERE session_seq = seq AND cost_kind <> 'replay')`;
/** Rows that one step deletes: few enough that no exchange waits long to be written. */
const rowsPerStep = 100;
const pagesPerStep = 100;
/** How long a step may index for. */
const indexMs = 10;
/** Sessions with later activity are under way, and no limit of size touches them. */
const underWayMs = 60 * 60 * 1000;
/** An older database that can only be compacted as a whole is, when that takes a moment and is worth it. */
const compactedBytes = 128 * 1024 * 1024;

/**
 * Deletes sessions in small steps. Every step leaves a whole database: totals fit the exchanges that are there, and an
 * item goes when no session uses it any more. A crash between two steps leaves only what the next run takes away.
 */
export class Retention {
  readonly #database: Sqlite;
  readonly #index: SearchIndex;
  readonly #totals: UsageTotals;
  readonly #forget: (sessionIds: ReadonlySet<string>) => void;

  /** `forget`: told before anything of a session goes, so that nothing new refers to it. */
  constructor(database: Sqlite, index: SearchIndex, forget: (sessionIds: ReadonlySet<string>) => void) {
    this.#database = database;
    this.#index = index;
    this.#totals = new UsageTotals(database);
    // What is deleted is overwritten, not only left out.
    database.pragma('secure_delete = ON');
    this.#forget = forget;
  }

  /** What the limits say at this time, epoch ms. To be run to its end, step by step. */
  *enforce({ keepDays, maxMegabytes }: RetentionLimits, nowMs: number): Generator<void, PruneReport> {
    const deleted = { sessions: 0, exchanges: 0, freedBytes: 0 };
    if (keepDays > 0) {
      const oldestMs = nowMs - keepDays * 86_400_000;
      yield* this.#delete(this.#selected({ kind: 'before', atMs: oldestMs }), deleted, this.#lastNumber());
      this.#database.prepare("DELETE FROM side_traffic WHERE day < date(? / 1000, 'unixepoch')").run(oldestMs);
      this.#database.prepare('DELETE FROM denials WHERE ts_ms < ?').run(oldestMs);
    }
    const maxBytes = maxMegabytes > 0 ? maxMegabytes * 1024 * 1024 : Infinity;
    const isTooLarge = this.#usedBytes() > maxBytes;
    if (isTooLarge) {
      // What merging gives back needs no deletion. Deletions merge much of the index themselves, so that what is measured
      // after each is little more than what is used once all of it is merged, at the end.
      yield* this.#mergeIndex();
      yield* this.#delete(this.#oldestBeyond(maxBytes, nowMs - underWayMs), deleted, Number.MAX_SAFE_INTEGER);
    }
    // What a crash left of an earlier run.
    yield* this.#dropUnused(this.#goneSessions());
    if (keepDays > 0 || isTooLarge) yield* this.#shrink();
    return deleted;
  }

  /** Deletes sessions with everything that only they use. To be run to its end, step by step. */
  *prune(selection: PruneSelection): Generator<void, PruneReport> {
    const deleted = { sessions: 0, exchanges: 0, freedBytes: 0 };
    yield* this.#delete(this.#selected(selection), deleted, this.#lastNumber());
    yield* this.#dropUnused(this.#goneSessions());
    yield* this.#shrink();
    return deleted;
  }

  /** Adds to `deleted` what it comes to. Exchanges behind that number stay. */
  *#delete(sessionIds: Iterable<string>, deleted: Deleted, through: number): Generator<void, void> {
    const usedBytes = this.#usedBytes();
    for (const id of sessionIds) {
      const exchanges = yield* this.#pruneSession(id, through);
      deleted.exchanges += exchanges;
      if (exchanges > 0) deleted.sessions++;
    }
    deleted.freedBytes += Math.max(0, usedBytes - this.#usedBytes());
  }

  /** The one that ended first and before that time, again and again, as long as more than `maxBytes` are used. */
  *#oldestBeyond(maxBytes: number, endedBeforeMs: number): Generator<string, void> {
    const oldest = this.#database
      .prepare('SELECT id FROM sessions WHERE ended_ms < ? ORDER BY ended_ms LIMIT 1')
      .pluck();
    while (this.#usedBytes() > maxBytes) {
      const id = oldest.get(endedBeforeMs) as string | undefined;
      if (id === undefined) return;
      yield id;
    }
  }

  #selected(selection: PruneSelection): Iterable<string> {
    switch (selection.kind) {
      case 'sessions':
        return selection.ids;
      case 'before':
        return this.#endedBefore(selection.atMs);
      case 'all':
        return this.#database.prepare('SELECT id FROM sessions').pluck().all() as string[];
    }
  }

  /** A session that goes on while others are deleted is none of them any more. */
  *#endedBefore(atMs: number): Generator<string, void> {
    const ids = this.#database.prepare('SELECT id FROM sessions WHERE ended_ms < ?').pluck().all(atMs) as string[];
    const isOver = this.#database.prepare('SELECT 1 FROM sessions WHERE id = ? AND ended_ms < ?').pluck();
    for (const id of ids) if (isOver.get(id, atMs) !== undefined) yield id;
  }

  #lastNumber(): number {
    return this.#database.prepare(lastNumber).pluck().get() as number;
  }

  /** Exchanges that come in meanwhile stay, and the session with them. */
  *#pruneSession(id: string, through: number): Generator<void, number> {
    const session = this.#database.prepare('SELECT seq FROM sessions WHERE id = ?').pluck();
    const seq = session.get(id) as number | undefined;
    if (seq === undefined) return 0;
    this.#forget(new Set([id]));
    this.#database.prepare(keepReplay).run(id);
    const lastSeq = this.#database
      .prepare('SELECT max(seq) FROM exchanges WHERE session_id = ? AND seq <= ?')
      .pluck()
      .get(id, through) as number | null;
    // What is not indexed yet could not be counted as used by others.
    while (this.#index.advance(indexMs)) yield;
    if (lastSeq !== null) yield* deleteSaid(this.#database, { sessionId: id, seq, lastSeq });
    const oldest = `SELECT seq FROM exchanges WHERE session_id = ? AND seq <= ? ORDER BY ts_ms LIMIT ${rowsPerStep}`;
    const countSpent = this.#database.prepare(countDeleted(oldest));
    const deleteExchanges = this.#database.prepare(`DELETE FROM exchanges WHERE seq IN (${oldest})`);
    const keepNumber = this.#database.prepare('UPDATE deleted_through SET seq = max(seq, coalesce(?, 0))');
    for (let deleted = 0; ; yield) {
      const before = deleted;
      this.#transaction(() => {
        countSpent.run(id, lastSeq);
        keepNumber.run(lastSeq);
        deleted += deleteExchanges.run(id, lastSeq).changes;
        this.#totals.recount(id);
        if (deleted === before) this.#deleteEmpty(id);
      });
      if (deleted > before) continue;
      if (session.get(id) === undefined) yield* this.#dropUnused([seq]);
      return deleted;
    }
  }

  #deleteEmpty(id: string): void {
    this.#database
      .prepare('DELETE FROM sessions WHERE id = $id AND NOT EXISTS (SELECT 1 FROM exchanges WHERE session_id = $id)')
      .run({ id });
  }

  /** Takes away what deleted sessions, by their `seq`, used and no other uses. */
  *#dropUnused(sessions: readonly number[]): Generator<void, void> {
    const uses = this.#database
      .prepare(`SELECT item FROM item_uses WHERE session_seq = ? LIMIT ${rowsPerStep}`)
      .pluck();
    const dropUse = this.#database.prepare('DELETE FROM item_uses WHERE session_seq = ? AND item = ?');
    const isUsed = this.#database.prepare('SELECT 1 FROM item_uses WHERE item = ?').pluck();
    for (const session of sessions) {
      for (;;) {
        yield;
        // Whatever was recorded since the last step may use these items, too.
        while (this.#index.advance(indexMs)) yield;
        const items = uses.all(session) as number[];
        if (items.length === 0) break;
        this.#transaction(() => {
          for (const item of items) dropUse.run(session, item);
          deleteItems(
            this.#database,
            items.filter(item => isUsed.get(item) === undefined),
          );
        });
      }
    }
  }

  /** Sessions that are gone and used items, found with one step per session: there are hundreds of uses for each. */
  #goneSessions(): number[] {
    return this.#database
      .prepare(`
        WITH RECURSIVE using_items (seq) AS (
          SELECT min(session_seq) FROM item_uses
          UNION ALL
          SELECT (SELECT min(session_seq) FROM item_uses WHERE session_seq > seq) FROM using_items WHERE seq IS NOT NULL
        )
        SELECT seq FROM using_items
        WHERE seq IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.seq = using_items.seq)`)
      .pluck()
      .all() as number[];
  }

  /** Makes the files smaller by what was deleted. */
  *#shrink(): Generator<void, void> {
    yield* this.#mergeIndex();
    yield* this.#giveBack();
    emptyJournal(this.#database);
  }

  /** Words of deleted text stand in the index until its parts are merged. */
  *#mergeIndex(): Generator<void, void> {
    const merge = this.#database.prepare("INSERT INTO said_text (said_text, rank) VALUES ('merge', ?)");
    const changes = this.#database.prepare('SELECT total_changes()').pluck();
    // A negative measure says that all parts are to become one; each call then does a little of it.
    for (let pages = -pagesPerStep; ; pages = pagesPerStep) {
      const before = changes.get() as number;
      merge.run(pages);
      // SQLite's documentation: fewer than two changes mean that there was nothing to do.
      if ((changes.get() as number) - before < 2) return;
      yield;
    }
  }

  /** Gives free pages back to the disk. */
  *#giveBack(): Generator<void, void> {
    const isIncremental = this.#number('auto_vacuum') === 2;
    if (!isIncremental && this.#isWorthCompacting()) {
      this.#database.pragma('auto_vacuum = INCREMENTAL');
      this.#database.exec('VACUUM');
      return;
    }
    for (let free = this.#number('freelist_count'); isIncremental && free > 0; ) {
      this.#database.pragma(`incremental_vacuum(${pagesPerStep})`);
      const left = this.#number('freelist_count');
      if (left >= free) return;
      free = left;
      yield;
    }
  }

  #isWorthCompacting(): boolean {
    const freeBytes = this.#number('freelist_count') * this.#number('page_size');
    return this.#usedBytes() <= compactedBytes && freeBytes * 4 >= this.#usedBytes();
  }

  #usedBytes(): number {
    return (this.#number('page_count') - this.#number('freelist_count')) * this.#number('page_size');
  }

  #number(pragma: string): number {
    return this.#database.pragma(pragma, { simple: true }) as number;
  }

  #transaction(work: () => void): void {
    this.#database.transaction(work).immediate();
  }
}
