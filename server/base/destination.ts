import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import { delay } from './clock.ts';
import { writeFileAtomic } from './files.ts';
import { readOnlyError } from './paths.ts';

/** A place that a person named for something to be written to. */
export interface Destination {
  /** Where symbolic links lead, also to what is not there yet. */
  readonly path: string;
  /** `stream`: a device or a pipe, which takes what is written and is never replaced. */
  readonly kind: 'new' | 'file' | 'stream';
  /** Something stands there that is not to be replaced or followed unasked: a file, or a symbolic link to nothing. */
  readonly isTaken: boolean;
}

/**
 * No directory is made for it: a name that is not there may be a slip.
 * @throws CoachError `input.invalid` for a directory, or a file in one that is not there; `disk.readOnly` where nothing can
 * be written
 */
export async function destinationOf(file: string): Promise<Destination> {
  const destination = await foundAt(file).catch((cause: unknown) => {
    throw readOnlyError(file, cause);
  });
  if (destination === 'directory') {
    throw new CoachError('input.invalid', `${file} is a directory.`, { hint: 'Name a file.' });
  }
  const directory = dirname(destination.path);
  if (destination.kind !== 'new' || (await stat(directory).catch(() => null)) !== null) return destination;
  throw new CoachError('input.invalid', `There is no directory ${directory}.`, {
    hint: 'Make it first, or choose another place.',
  });
}

async function foundAt(file: string): Promise<Destination | 'directory'> {
  const found = await stat(file).catch(nullWhenMissing);
  if (found?.isDirectory()) return 'directory';
  // Not by its target's name: what /dev/stdout leads to may have none.
  if (found !== null && !found.isFile()) return { path: file, kind: 'stream', isTaken: false };
  const isTaken = (await lstat(file).catch(nullWhenMissing)) !== null;
  return { path: await targetOf(file), kind: found === null ? 'new' : 'file', isTaken };
}

/**
 * Writes a file whole or not at all, and leaves symbolic links that lead to it as they are; a stream gets it as it is. Of
 * a pipe that nobody reads yet a reader is waited for.
 */
export async function writeTo(
  { path, kind }: Destination,
  content: string | Uint8Array,
  mode: number,
  signal: AbortSignal,
): Promise<void> {
  if (kind !== 'stream') return writeFileAtomic(path, content, mode);
  let handle: FileHandle | undefined;
  try {
    handle = await openStream(path, signal);
    const bytes = Buffer.from(content);
    for (let at = 0; at < bytes.length; ) at += await written(handle, bytes.subarray(at), signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw readOnlyError(path, cause);
  } finally {
    await handle?.close();
  }
}

/** The file that a path leads to, also by symbolic links to what is not there yet. */
export async function targetOf(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    if (!isMissing(error)) return file;
  }
  const link = await readlink(file).catch(() => null);
  return link === null ? file : targetOf(resolve(await realpath(dirname(file)), link));
}

const waitMs = 50;

/** To wait in the system, for a reader or for room, would take one of the few threads that all files share. */
async function openStream(path: string, signal: AbortSignal): Promise<FileHandle> {
  // Windows knows neither flag. A terminal must not become that of a process in the background.
  const flags = constants.O_WRONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
  for (;;) {
    signal.throwIfAborted();
    try {
      return await open(path, flags);
    } catch (error) {
      if (!isCode(error, 'ENXIO') || !(await stat(path)).isFIFO()) throw error;
    }
    await delay(waitMs, signal);
  }
}

async function written(handle: FileHandle, bytes: Uint8Array, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  try {
    return (await handle.write(bytes)).bytesWritten;
  } catch (error) {
    if (!isCode(error, 'EAGAIN')) throw error;
  }
  await delay(waitMs, signal);
  return 0;
}

function nullWhenMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}

function isMissing(error: unknown): boolean {
  return isCode(error, 'ENOENT');
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
