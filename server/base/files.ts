import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from './directories.ts';
import { readOnlyError } from './paths.ts';

/** What a file says, read as UTF-8; null where there is none, or none that can be read. */
export function textOfFile(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Writes a file whole or not at all: a temporary beside it, then rename. Makes its directory. */
export async function writeFileAtomic(file: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    makeDirectory(dirname(file));
    await writeFile(temporary, content, { mode });
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw readOnlyError(file, cause);
  }
}

/** Fills a directory beside `directory` and moves it into place when `fill` has ended well; else nothing stays. */
export async function writeDirectoryAtomic(
  directory: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${directory}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    make(temporary, directory);
    await fill(temporary);
    await rename(temporary, directory);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

/** @throws CoachError `disk.readOnly` with the place that it is made for */
function make(directory: string, place: string): void {
  try {
    makeDirectory(directory);
  } catch (cause) {
    throw readOnlyError(place, cause);
  }
}
