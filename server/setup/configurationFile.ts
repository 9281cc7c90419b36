import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import { targetOf } from '../base/destination.ts';
import { writeFileAtomic } from '../base/files.ts';

/**
 * A configuration file of another program; null when it does not exist.
 * @throws CoachError `input.invalid` for what is no file, as where a link leads to /dev/null, and for what is not UTF-8:
 * writing it back would change it
 */
export async function readConfiguration(file: string): Promise<string | null> {
  if ((await stat(file).catch(() => null))?.isFile() === false) {
    throw new CoachError('input.invalid', `${file} is no file and is left alone.`);
  }
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new CoachError('input.invalid', `${file} can't be read: ${(error as Error).message}`, { cause: error });
  }
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  throw new CoachError('input.invalid', `${file} is not UTF-8 and is left alone.`);
}

/** Writes it whole or not at all, with the mode it has; a symbolic link stays one. New files are 0600. */
export async function writeConfiguration(file: string, text: string): Promise<void> {
  const target = await targetOf(file);
  const mode = await stat(target).then(
    found => found.mode & 0o7777,
    () => 0o600,
  );
  await writeFileAtomic(target, text, mode);
  await chmod(target, mode);
}

/** Makes a file's directory and answers the ones that were not there, outermost first. */
export async function makeDirectories(file: string): Promise<string[]> {
  const made: string[] = [];
  const directory = dirname(await targetOf(file));
  for (let at = directory; !(await exists(at)); at = dirname(at)) made.unshift(at);
  await mkdir(directory, { recursive: true });
  return made;
}

/** Removes a file, and those of the directories that are empty then. A symbolic link to it stays. */
export async function removeWithDirectories(file: string, directories: readonly string[]): Promise<void> {
  await rm(await targetOf(file), { force: true });
  for (const directory of directories.toReversed()) {
    const removed = await rmdir(directory).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
