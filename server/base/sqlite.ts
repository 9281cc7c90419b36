import { type BigIntStats, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { CoachError } from '../../protocol/errors.ts';
import { readOnlyError } from './paths.ts';
import { shapeFault } from './schemaShape.ts';

export type Sqlite = Database.Database;

export interface OpenOptions {
  /** Forward-only SQL, numbered by place: entry 0 makes schema version 1. Never edited once released. */
  readonly migrations: readonly string[];
  /** FULL keeps every commit through a power loss, NORMAL through a crash of the process. */
  readonly synchronous: 'FULL' | 'NORMAL';
  readonly readonly?: boolean;
}

/** How long a statement waits for another process's lock. */
const busyMs = 5000;

/**
 * Opens a database in WAL mode and brings its schema up to date, in one transaction.
 * @throws CoachError `schema.newer` when a newer Codex Coach wrote it; nothing is changed then, nor where it is damaged.
 */
export function openDatabase(file: string, options: OpenOptions): Sqlite {
  const database = connect(file, options.readonly ?? false);
  try {
    database.pragma(`synchronous = ${options.synchronous}`);
    database.pragma(`journal_size_limit = ${64 * 1024 * 1024}`);
    database.pragma('foreign_keys = ON');
    migrate(database, file, options);
  } catch (error) {
    database.close();
    throw asDamaged(file, error);
  }
  return database;
}

/** Empties the journal file, unless a reader still needs it: nobody waits for that. */
export function emptyJournal(database: Sqlite): void {
  const waitMs = database.pragma('busy_timeout', { simple: true }) as number;
  database.pragma('busy_timeout = 0');
  try {
    database.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    database.pragma(`busy_timeout = ${waitMs}`);
  }
}

/** A database that is gone when it is closed. */
export function openInMemory(): Sqlite {
  return new Database(':memory:');
}

function connect(file: string, readonly: boolean): Sqlite {
  let database: Sqlite | null = null;
  try {
    database = new Database(file, { readonly, timeout: busyMs });
    if (!readonly) {
      // Takes effect in a new file only, and only before anything else is written.
      database.pragma('auto_vacuum = INCREMENTAL');
      database.pragma('journal_mode = WAL');
    }
    return database;
  } catch (cause) {
    database?.close();
    throw storageFault(cause) === 'damaged' ? asDamaged(file, cause) : readOnlyError(file, cause);
  }
}

function asDamaged(file: string, error: unknown): unknown {
  if (error instanceof CoachError || storageFault(error) !== 'damaged') return error;
  const hint = 'See: codex-coach doctor';
  return new CoachError('internal', `${file} is damaged: ${(error as Error).message}.`, { cause: error, hint });
}

function migrate(database: Sqlite, file: string, { migrations, readonly }: OpenOptions): void {
  const versionOf = () => database.pragma('user_version', { simple: true }) as number;
  if (versionOf() > migrations.length) {
    throw new CoachError(
      'schema.newer',
      `${file} was written by a newer Codex Coach (schema ${versionOf()}, this one knows ${migrations.length}).`,
      {
        hint: 'Update Codex Coach, or set COACH_HOME to another directory.',
      },
    );
  }
  if (readonly || versionOf() === migrations.length) return;
  checkShape(database, migrations, versionOf());
  const upgrade = database.transaction(() => {
    for (let version = versionOf(); version < migrations.length; version++) {
      database.exec(migrations[version] ?? '');
      database.pragma(`user_version = ${version + 1}`);
    }
  });
  upgrade.immediate();
}

/**
 * A number of the schema that other tables lie under is damage: statements would fail, each when it is first needed. Asked
 * before an upgrade alone: it takes a database in memory, 2 MB that a server at rest would go on having.
 */
function checkShape(database: Sqlite, migrations: readonly string[], version: number): void {
  const fault = version === 0 ? null : shapeFault(database, migrations, version);
  if (fault !== null) throw damagedError(fault);
}

/** What is wrong with the storage under a database. */
export type StorageFault = 'full' | 'locked' | 'readOnly' | 'damaged' | 'failed';

/** The fault of the storage behind an error, or null when the error is of another kind, such as a broken statement. */
export function storageFault(error: unknown): StorageFault | null {
  const cause = error instanceof CoachError ? error.cause : error;
  const code = (cause as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return null;
  if (/^SQLITE_FULL|^ENOSPC/.test(code)) return 'full';
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return 'locked';
  if (/^SQLITE_(READONLY|PERM|AUTH)|^E(ROFS|ACCES|PERM)/.test(code)) return 'readOnly';
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return 'damaged';
  return /^SQLITE_(IOERR|CANTOPEN|PROTOCOL|NOMEM)/.test(code) ? 'failed' : null;
}

/** As SQLite itself would say it. */
export function damagedError(reason: string): Error {
  return new Database.SqliteError(reason, 'SQLITE_CORRUPT');
}

/** Which file lies at a path, so that its replacement can be told from it; null when there is none. */
export function fileIdentity(file: string): string | null {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? null : identityOf(stats);
}

export function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
