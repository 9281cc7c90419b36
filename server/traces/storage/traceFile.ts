import { renameSync, rmSync } from 'node:fs';
import { toIso } from '../../base/clock.ts';
import { fileIdentity, openDatabase, type Sqlite } from '../../base/sqlite.ts';
import { traceMigrations } from '../schema.ts';

/** Files that SQLite keeps beside a database. */
const companions = ['-wal', '-shm'] as const;

/** A connection to `traces.sqlite3` that can tell when its file was deleted or replaced: SQLite itself would go on
 * writing into a file that nobody can find any more. */
export class TraceFile {
  readonly database: Sqlite;
  readonly #file: string;
  readonly #identity: string | null;
  readonly #journal: string | null;

  /** @throws CoachError `schema.newer`, `disk.readOnly`, `disk.full` */
  constructor(file: string) {
    this.#file = file;
    this.database = openDatabase(file, { migrations: traceMigrations, synchronous: 'NORMAL' });
    // The first read makes the journal.
    this.database.pragma('user_version');
    this.#identity = fileIdentity(file);
    this.#journal = fileIdentity(`${file}-wal`);
  }

  /** The file that this connection works on is no longer at its path. */
  get isGone(): boolean {
    return fileIdentity(this.#file) !== this.#identity;
  }

  /**
   * Closes the connection. A journal that a vanished file left behind goes too: it fits no other file. What it holds is
   * written to its own file first, which may only have been moved.
   */
  close(): void {
    const isGone = this.isGone;
    const isOurs = this.#journal !== null && fileIdentity(`${this.#file}-wal`) === this.#journal;
    if (isGone) this.#emptyJournal();
    this.database.close();
    if (isGone && isOurs) for (const suffix of companions) rmSync(`${this.#file}${suffix}`, { force: true });
  }

  #emptyJournal(): void {
    try {
      this.database.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // Its disk takes nothing any more.
    }
  }
}

/** Moves a damaged database out of the way, whole, for whoever wants to recover something. Returns its new name. */
export function setAside(file: string, epochMs: number): string {
  const kept = `${file}.damaged-${toIso(epochMs).slice(0, 19).replaceAll(/[-:]/g, '')}`;
  for (const suffix of ['', ...companions]) {
    if (fileIdentity(`${file}${suffix}`) !== null) renameSync(`${file}${suffix}`, `${kept}${suffix}`);
  }
  return kept;
}
