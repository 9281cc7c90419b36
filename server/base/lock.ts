import Database from 'better-sqlite3';
import { readOnlyError } from './paths.ts';
import { fileIdentity } from './sqlite.ts';

export interface HeldLock {
  /** Whether who comes now meets it: the file may have been deleted, moved or replaced since. */
  inPlace(): boolean;
  release(): void;
}

/**
 * Takes the lock file, or answers null when a living process holds it. The operating system's own file lock, by way
 * of SQLite: it ends with its process, however that ends, so there is no stale lock to guess about.
 */
export function takeLock(file: string): HeldLock | null {
  let database: Database.Database;
  try {
    database = new Database(file, { timeout: 0 });
  } catch (cause) {
    throw readOnlyError(file, cause);
  }
  try {
    database.pragma('journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) return null;
    throw readOnlyError(file, error);
  }
  const held = fileIdentity(file);
  return { inPlace: () => held !== null && held === fileIdentity(file), release: () => void database.close() };
}
