import { createHash } from 'node:crypto';
import { lstat, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import { writeDirectoryAtomic, writeFileAtomic } from '../base/files.ts';
import type { CoachPaths } from '../base/paths.ts';
import { git, gitText, splitNul } from './git.ts';
import { ignorePatterns, isCoachPath } from './ignore.ts';
import { type Repository, repositoryAt, submodulesError, trackedFiles } from './repository.ts';
import { type GitStore, openStore } from './store.ts';
import { withIndex } from './tree.ts';

/**
 * The store under COACH_HOME that keeps a repository's snapshots. It shares nothing with the user's repository, whose
 * index, head, hooks and configuration are neither used nor changed.
 */
export async function shadowOf(repository: Repository, paths: CoachPaths, signal?: AbortSignal): Promise<GitStore> {
  const digest = createHash('sha256').update(repository.root).digest('hex').slice(0, 16);
  const directory = join(paths.workspaces, 'shadow', digest);
  const isThere = async () => (await stat(join(directory, 'HEAD')).catch(() => null)) !== null;
  if (!(await isThere())) {
    // Whole or not at all: two git inits in one place fail on each other's locks.
    await writeDirectoryAtomic(directory, async temporary => void (await openStore(temporary, signal))).catch(
      async (error: unknown) => {
        if (!(await isThere())) throw error;
      },
    );
  }
  return { gitDir: directory };
}

/**
 * Takes the working tree as it is, byte by byte: every tracked file and every untracked one that is not ignored,
 * without `.coach/`. Submodules that are checked out are in it as the plain files that they consist of.
 * @returns id of the tree in the shadow store
 * @throws CoachError `git.submodules` when a nested repository is met that is no submodule.
 */
export async function snapshot(repository: Repository, shadow: GitStore, signal?: AbortSignal): Promise<string> {
  return withIndex(shadow, async indexed => {
    const call = { ...indexed, workTree: repository.root };
    await addAll(repository, call, signal);
    await addIgnoredButTracked(repository, call, signal);
    const staged = splitNul((await git(['ls-files', '-z', '--stage'], call, signal)).stdout).map(entry => ({
      mode: entry.slice(0, 6),
      path: entry.slice(entry.indexOf('\t') + 1),
    }));
    const nested = staged.filter(entry => entry.mode === '160000').map(entry => entry.path);
    const foreign = nested.filter(path => !repository.submodules.includes(path));
    if (foreign.length > 0) throw submodulesError(foreign);
    const ours = staged.map(entry => entry.path).filter(isCoachPath);
    await updateIndex(['--force-remove'], [...ours, ...nested], call, signal);
    for (const path of nested) {
      const tree = await snapshot(await submoduleAt(repository, path, signal), shadow, signal);
      await git(['read-tree', `--prefix=${path}/`, tree], call, signal);
    }
    return gitText(['write-tree'], call, signal);
  });
}

/** What is ignored is told by a file of this call alone: a submodule has other patterns than the repository around it. */
async function addAll(
  repository: Repository,
  call: GitStore & { readonly indexFile: string; readonly workTree: string },
  signal?: AbortSignal,
): Promise<void> {
  const patterns = `${call.indexFile}.ignored`;
  try {
    await writeFileAtomic(patterns, await ignorePatterns(repository, signal));
    const config = { 'core.excludesFile': patterns };
    await git(['add', '--all', '--', '.'], { ...call, config }, signal).catch((error: unknown) => {
      throw nestedRepository(error) ?? error;
    });
  } finally {
    await rm(patterns, { force: true });
  }
}

async function submoduleAt({ root }: Repository, path: string, signal?: AbortSignal): Promise<Repository> {
  const found = await repositoryAt(join(root, path), signal);
  // Else it is what holds the directory, and so would be taken again and again.
  if (found.root !== join(root, path)) throw submodulesError([path]);
  return found;
}

/** Keeps a tree from ever being pruned, under a name. */
export async function keepTree(shadow: GitStore, name: string, tree: string, signal?: AbortSignal): Promise<void> {
  await git(['update-ref', `refs/coach/${name}`, tree], shadow, signal);
}

/** Whether `keepTree` kept this tree under this name, in this store. */
export async function isKept(shadow: GitStore, name: string, tree: string, signal?: AbortSignal): Promise<boolean> {
  const args = ['rev-parse', '--verify', '--quiet', `refs/coach/${name}`];
  const { exitCode, stdout } = await git(args, { ...shadow, answers: [1, 128] }, signal);
  return exitCode === 0 && stdout.toString().trim() === tree;
}

/** The index is read by path and never by stat: an agent that restores a file's times hides nothing. */
async function addIgnoredButTracked(
  repository: Repository,
  call: GitStore & { workTree: string },
  signal?: AbortSignal,
) {
  const added = new Set(splitNul((await git(['ls-files', '-z'], call, signal)).stdout));
  const missing = (await trackedFiles(repository.gitDir, repository.root, signal)).filter(
    ({ path, mode }) => mode !== '160000' && !added.has(path) && !isCoachPath(path),
  );
  const present = await Promise.all(
    missing.map(async ({ path }) => ((await isFile(join(repository.root, path))) ? path : null)),
  );
  await updateIndex(
    ['--add'],
    present.filter(path => path !== null),
    call,
    signal,
  );
}

async function updateIndex(flags: readonly string[], paths: readonly string[], call: GitStore, signal?: AbortSignal) {
  if (paths.length === 0) return;
  const stdin = paths.map(path => `${path}\0`).join('');
  await git(['update-index', ...flags, '-z', '--stdin'], { ...call, stdin }, signal);
}

async function isFile(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  return found !== null && !found.isDirectory();
}

function nestedRepository(error: unknown): CoachError | null {
  const text = CoachError.from(error).message;
  const path = /'([^']+)' does not have a commit checked out/.exec(text)?.[1];
  return path === undefined ? null : submodulesError([path]);
}
