import { copyFile, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { git, gitText, splitNul, userSetting } from './git.ts';
import { ignorePatterns, isCoachPath } from './ignore.ts';
import type { Repository } from './repository.ts';
import { borrowObjects, type GitStore, openStore } from './store.ts';

export interface Status {
  /** Tracked files that differ from the head, staged or not. */
  readonly changed: readonly string[];
  /** Files that are neither tracked nor ignored. */
  readonly untracked: readonly string[];
}

/**
 * What `git status` would say, asked of a copy of the index in a repository of ours: line endings are converted as the
 * user's git does, filters never run, `.coach/` does not count.
 */
export async function statusOf(repository: Repository, signal?: AbortSignal): Promise<Status> {
  const directory = await mkdtemp(join(tmpdir(), 'coach-status-'));
  try {
    const format = await gitText(['rev-parse', '--show-object-format'], { gitDir: repository.gitDir }, signal);
    const store = await openStore(directory, signal, format);
    await mirror(repository, store, signal);
    const args = ['status', '--porcelain=v1', '-z', '--no-renames', '--untracked-files=all', '--ignore-submodules=all'];
    const config = await lineEndings(repository, signal);
    const { stdout } = await git(args, { ...store, workTree: repository.root, config }, signal);
    const entries = splitNul(stdout)
      .map(entry => ({ state: entry.slice(0, 2), path: entry.slice(3) }))
      .filter(({ path }) => !isCoachPath(path));
    return {
      changed: entries.filter(({ state }) => state !== '??').map(({ path }) => path),
      untracked: entries.filter(({ state }) => state === '??').map(({ path }) => path),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The user's conversion of line endings, as settings for a call. */
export async function lineEndings(repository: Repository, signal?: AbortSignal): Promise<Record<string, string>> {
  const config: Record<string, string> = {};
  for (const name of ['core.autocrlf', 'core.eol', 'core.fileMode', 'core.symlinks', 'core.ignoreCase']) {
    const value = await userSetting(repository.gitDir, name, signal);
    if (value !== null) config[name] = value;
  }
  return config;
}

async function mirror(repository: Repository, store: GitStore, signal?: AbortSignal): Promise<void> {
  await borrowObjects(store, join(repository.commonDir, 'objects'));
  await writeFile(join(store.gitDir, 'info', 'attributes'), '* -filter\n');
  await writeFile(join(store.gitDir, 'info', 'exclude'), await ignorePatterns(repository, signal));
  if (repository.head !== null) {
    await git(['update-ref', '--no-deref', 'HEAD', repository.head], store, signal);
  }
  // The index may be split over several files, named sharedindex.<id>.
  const parts = (await readdir(repository.gitDir)).filter(name => name === 'index' || name.startsWith('sharedindex.'));
  for (const name of parts) await copyIndex(join(repository.gitDir, name), join(store.gitDir, name));
}

/**
 * git trusts the times of files that are older than their index; a fresh copy would make it trust files that changed
 * right after the index was written. A copy dated earlier makes it read those.
 */
async function copyIndex(from: string, to: string): Promise<void> {
  const { mtimeMs } = await stat(from);
  await copyFile(from, to);
  const dated = new Date(mtimeMs - 1000);
  await utimes(to, dated, dated);
}
