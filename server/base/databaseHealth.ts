import { existsSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { shapeFault } from './schemaShape.ts';

export interface DatabaseHealth {
  /** The first thing that is wrong with its structure; null when it is sound. */
  readonly fault: string | null;
  readonly sizeBytes: number;
  /** Of the write-ahead log beside it. */
  readonly walBytes: number;
  readonly schema: number;
}

/**
 * Examines a database, also one that a server is writing to, and leaves its directory as it was. Null when there is none.
 * `migrations`: what made it, see `OpenOptions`.
 */
export function databaseHealth(file: string, migrations: readonly string[]): DatabaseHealth | null {
  if (!existsSync(file)) return null;
  const wal = `${file}-wal`;
  const inUse = existsSync(wal);
  const sizes = { sizeBytes: statSync(file).size, walBytes: inUse ? statSync(wal).size : 0 };
  let database: Database.Database | null = null;
  try {
    // A reader that may not write leaves a new log behind it; without one to read, it is opened to write nothing.
    database = new Database(file, { readonly: inUse, timeout: 5000 });
    database.pragma('query_only = ON');
    const schema = database.pragma('user_version', { simple: true }) as number;
    const answer = database.pragma('quick_check(1)', { simple: true }) as string;
    if (answer !== 'ok') return { fault: answer, schema, ...sizes };
    // Of a later schema nothing is known.
    const fault = schema > migrations.length ? null : shapeFault(database, migrations, schema);
    return { fault, schema, ...sizes };
  } catch (error) {
    return { fault: (error as Error).message, schema: 0, ...sizes };
  } finally {
    database?.close();
  }
}
