import { renameSync, rmSync, statSync } from 'node:fs';
import { toIso } from '../../base/clock.ts';
import { fileIdentity, identityOf, openDatabase, type Sqlite } from '../../base/sqlite.ts';
import { traceMigrations } from '../schema.ts';

/** Files that SQLite keeps beside a database. */
const companions = ['-wal', '-shm'] as const;

/**
 * What became of the file under a connection. `cut`: pages of it are missing that no journal brings back; SQLite takes no
 * notice of that.
 */
export type FileState = 'whole' | 'gone' | 'cut';

/** `frames`: in the journal; `copied`: of them, those that are in the file, too. */
type Measures = readonly [pages: number, pageBytes: number, frames: number, copied: number];

/** A connection to `traces.sqlite3` that can tell when its file was deleted or replaced: SQLite itself would go on
 * writing into a file that nobody can find any more. */
export class TraceFile {
  readonly database: Sqlite;
  readonly #file: string;
  readonly #identity: string | null;
  readonly #journal: string | null;
  #lastBytes = 0n;
  #isCut = false;

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

  /** To be asked before each write. What was cut stays so. */
  look(): FileState {
    const stats = statSync(this.#file, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined || identityOf(stats) !== this.#identity) return 'gone';
    if (stats.size < this.#lastBytes) {
      const lacksPages = this.#lacksPages();
      if (lacksPages === null) return 'whole';
      this.#isCut ||= lacksPages;
    }
    this.#lastBytes = stats.size;
    return this.#isCut ? 'cut' : 'whole';
  }

  /** More pages than the file has and the journal has still to copy into it; null where others change it meanwhile. */
  #lacksPages(): boolean | null {
    const before = this.#measures();
    const stats = statSync(this.#file, { throwIfNoEntry: false });
    if (stats === undefined || before === null || this.#measures()?.join() !== before.join()) return null;
    const [pages, pageBytes, frames, copied] = before;
    return pages - Math.floor(stats.size / pageBytes) > frames - copied;
  }

  /** Null while another connection is at it. */
  #measures(): Measures | null {
    // Copies nothing, and tells how much there is to copy.
    const [journal] = this.database.pragma('wal_checkpoint(NOOP)') as [Record<'busy' | 'log' | 'checkpointed', number>];
    const number = (pragma: string) => this.database.pragma(pragma, { simple: true }) as number;
    if (journal.busy !== 0) return null;
    return [number('page_count'), number('page_size'), journal.log, journal.checkpointed];
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
