import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readOnlyError } from '../base/paths.ts';
import { git } from './git.ts';

/** An object database of ours: a bare repository with our own configuration and attributes, and no hooks. */
export interface GitStore {
  readonly gitDir: string;
}

/**
 * Switches off every conversion and filter, so that a blob holds the bytes of its file. It wins over any
 * `.gitattributes`. Without it CRLF files become LF blobs, `$Id$` is rewritten and a filter's program runs.
 */
export const exactBytes = '* -text -filter -ident !working-tree-encoding !eol !diff !merge !whitespace\n';

/**
 * Makes a store, or opens the one that is there. Its ids are SHA-1 whatever the user's repository has: it shares no
 * object with it.
 * @throws CoachError `disk.readOnly`, `disk.full`.
 */
export async function openStore(directory: string, signal?: AbortSignal, format = 'sha1'): Promise<GitStore> {
  const store = { gitDir: directory };
  try {
    await mkdir(join(directory, 'info'), { recursive: true, mode: 0o700 });
    await writeFile(join(directory, 'info', 'attributes'), exactBytes);
  } catch (cause) {
    throw readOnlyError(directory, cause);
  }
  const args = ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, '--initial-branch=main'];
  await git(args, store, signal);
  return store;
}

/** Lets a store read the objects of another object directory. */
export async function borrowObjects(store: GitStore, objectDirectory: string): Promise<void> {
  await mkdir(join(store.gitDir, 'objects', 'info'), { recursive: true });
  await writeFile(join(store.gitDir, 'objects', 'info', 'alternates'), `${objectDirectory}\n`);
}
