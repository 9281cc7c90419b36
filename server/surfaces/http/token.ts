import { randomBytes } from 'node:crypto';
import { lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readOnlyError } from '../../base/paths.ts';

const headerLine = /^Authorization: Bearer ([0-9a-f]{64})\n$/;

/**
 * The token that `file` holds, made when there is none. It is kept, so that a program is told once where it lies;
 * deleting the file ends it. One that others could read is replaced.
 * @throws CoachError `disk.readOnly`, `disk.full`
 */
export function loadToken(file: string): string {
  const kept = privateToken(file);
  if (kept !== null) return kept;
  const token = randomBytes(32).toString('hex');
  try {
    rmSync(file, { force: true });
    writeFileSync(file, `Authorization: Bearer ${token}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw readOnlyError(file, cause);
  }
  return token;
}

function privateToken(file: string): string | null {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) return null;
  const isShared = process.platform !== 'win32' && (found.mode & 0o077) !== 0;
  return isShared ? null : (headerLine.exec(readFileSync(file, 'utf8'))?.[1] ?? null);
}
