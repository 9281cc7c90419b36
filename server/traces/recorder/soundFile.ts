import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { storageFault } from '../../base/sqlite.ts';
import { SearchIndex } from '../search/searchIndex.ts';
import { setAside, TraceFile } from '../storage/traceFile.ts';
import { reasonOf, type StorageNews } from './storageNews.ts';

/**
 * Makes sure that there is a database, before anybody reads or writes it. A damaged one is moved away, whole.
 * `isBehind`: what was recorded last is not searchable yet, as after a crash.
 * @throws CoachError `schema.newer`, `disk.readOnly`, `disk.full`
 */
export function openSound(file: string): { readonly isBehind: boolean; readonly damaged: StorageNews | null } {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    return { isBehind: isBehind(file), damaged: null };
  } catch (error) {
    if (storageFault(error) !== 'damaged') throw error;
  }
  const reason = reasonOf('damaged', file, setAside(file, Date.now()));
  return { isBehind: isBehind(file), damaged: { fault: 'damaged', reason, over: true } };
}

function isBehind(file: string): boolean {
  const opened = new TraceFile(file);
  try {
    return SearchIndex.isBehind(opened.database);
  } finally {
    opened.close();
  }
}
