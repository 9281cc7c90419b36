import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readOnlyError } from './paths.ts';

/** Writes a file whole or not at all: a temporary beside it, then rename. Makes its directory. */
export async function writeFileAtomic(file: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
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
    await mkdir(temporary, { recursive: true }).catch((cause: unknown) => {
      throw readOnlyError(directory, cause);
    });
    await fill(temporary);
    await rename(temporary, directory);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}
