import Database from 'better-sqlite3';
import { CoachError } from '../../protocol/errors.ts';
import { readOnlyError } from './paths.ts';

export type Sqlite = Database.Database;

export interface OpenOptions {
  /** Forward-only SQL, numbered by place: entry 0 makes schema version 1. Never edited once released. */
  readonly migrations: readonly string[];
  /** FULL keeps every commit through a power loss, NORMAL through a crash of the process. */
  readonly synchronous: 'FULL' | 'NORMAL';
  readonly readonly?: boolean;
}

/**
 * Opens a database in WAL mode and brings its schema up to date, in one transaction.
 * @throws CoachError `schema.newer` when a newer Codex Coach wrote it; nothing is changed then.
 */
export function openDatabase(file: string, options: OpenOptions): Sqlite {
  let database: Sqlite;
  try {
    database = new Database(file, { readonly: options.readonly ?? false, timeout: 5000 });
    if (!options.readonly) database.pragma('journal_mode = WAL');
  } catch (cause) {
    throw readOnlyError(file, cause);
  }
  database.pragma(`synchronous = ${options.synchronous}`);
  database.pragma(`journal_size_limit = ${64 * 1024 * 1024}`);
  database.pragma('foreign_keys = ON');
  try {
    migrate(database, file, options);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
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
  const upgrade = database.transaction(() => {
    for (let version = versionOf(); version < migrations.length; version++) {
      database.exec(migrations[version] ?? '');
      database.pragma(`user_version = ${version + 1}`);
    }
  });
  upgrade.immediate();
}
