import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import { temporaryScratch } from '../base/owner.ts';
import { git, gitText } from './git.ts';
import { isCoachPath } from './ignore.ts';
import { type Repository, requireCommit, submodulesError } from './repository.ts';
import { lineEndings, statusOf } from './status.ts';
import { borrowObjects, exactBytes, type GitStore, openStore } from './store.ts';
import { filesOf, treeOf, withIndex } from './tree.ts';

/** A commit of a user's repository, read without running anything. */
export interface Commit {
  readonly id: string;
  /** First parent first; none for the first commit of a history. */
  readonly parents: readonly string[];
  /** Epoch ms. */
  readonly committedMs: number;
  readonly message: string;
}

/**
 * The commit that a revision names: an id, a branch, a tag, `HEAD~2`.
 * @returns null when it names none
 */
export async function findCommit(repository: Repository, name: string, signal?: AbortSignal): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
  const call = { gitDir: repository.gitDir, answers: [1, 128] };
  const { exitCode, stdout } = await git(args, call, signal);
  return exitCode === 0 ? stdout.toString().trim() : null;
}

/** @throws CoachError `input.invalid` naming the flag that gave it. */
export async function requireRevision(
  repository: Repository,
  name: string,
  flag: string,
  signal?: AbortSignal,
): Promise<string> {
  const commit = await findCommit(repository, name, signal);
  if (commit !== null) return commit;
  throw new CoachError('input.invalid', `${flag} ${name} is no commit of ${repository.root}.`, {
    hint: 'Name a commit, branch or tag that is here; a commit of a remote is fetched first: git fetch',
  });
}

export async function readCommit(repository: Repository, id: string, signal?: AbortSignal): Promise<Commit> {
  const text = await gitText(['cat-file', 'commit', id], { gitDir: repository.gitDir }, signal);
  const end = text.indexOf('\n\n');
  const head = end < 0 ? text : text.slice(0, end);
  return {
    id,
    parents: [...head.matchAll(/^parent ([0-9a-f]+)$/gm)].map(match => match[1] ?? ''),
    committedMs: 1000 * Number(/^committer .* (\d+) [+-]\d{4}$/m.exec(head)?.[1] ?? 0),
    message: end < 0 ? '' : text.slice(end + 2),
  };
}

/** The newest commit that both histories hold; null when they share none. */
export async function mergeBase(
  repository: Repository,
  one: string,
  other: string,
  signal?: AbortSignal,
): Promise<string | null> {
  const call = { gitDir: repository.gitDir, answers: [1] };
  const { exitCode, stdout } = await git(['merge-base', one, other], call, signal);
  return exitCode === 0 ? stdout.toString().trim() : null;
}

/** Every move of the head that the repository's log still has, newest first. Times are those of this machine. */
export async function headMoves({ gitDir }: Repository): Promise<{ readonly commit: string; readonly atMs: number }[]> {
  // Read as a file: `git log` would check signatures with whatever program the repository's configuration names.
  const log = await readFile(join(gitDir, 'logs', 'HEAD'), 'utf8').catch(() => '');
  return [...log.matchAll(/^[0-9a-f]+ ([0-9a-f]+) .*> (\d+) [+-]\d{4}(?:\t.*)?$/gm)]
    .map(match => ({ commit: match[1] ?? '', atMs: 1000 * Number(match[2]) }))
    .reverse();
}

/**
 * The tree that a commit of the working tree's files would have now: line endings as the user's git stores them, filters
 * never run, untracked files included, without `.coach/`.
 * @throws CoachError `git.submodules`
 */
export async function treeOfFiles(repository: Repository, store: GitStore, signal?: AbortSignal): Promise<string> {
  const { changed, untracked } = await statusOf(repository, signal);
  const nested = untracked.filter(path => path.endsWith('/'));
  if (nested.length > 0) throw submodulesError(nested);
  const head = await treeOfCommit(store, requireCommit(repository), signal);
  const config = await lineEndings(repository, signal);
  const attributes = join(store.gitDir, 'info', 'attributes');
  await writeFile(attributes, '* -filter -ident\n');
  try {
    return await withIndex(store, async indexed => {
      const call = { ...indexed, workTree: repository.root, config };
      await git(['read-tree', head], call, signal);
      const stdin = [...changed, ...untracked].map(path => `${path}\0`).join('');
      await git(['update-index', '--add', '--remove', '-z', '--stdin'], { ...call, stdin }, signal);
      return gitText(['write-tree'], call, signal);
    });
  } finally {
    await writeFile(attributes, exactBytes);
  }
}

/**
 * Calls `work` with a store of ours that also reads the repository's objects. Nothing is written to the repository.
 * @throws CoachError `git.failed` for a repository whose ids are not SHA-1
 */
export async function withObjectsOf<T>(
  repository: Repository,
  work: (store: GitStore) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const format = await gitText(['rev-parse', '--show-object-format'], { gitDir: repository.gitDir }, signal);
  if (format !== 'sha1') {
    throw new CoachError('git.failed', `The repository's commits have ${format} ids; tasks are made of SHA-1 ones.`, {
      hint: 'Record the task instead: codex-coach task start "<title>"',
    });
  }
  const directory = await temporaryScratch('history');
  try {
    const store = await openStore(directory, signal);
    await borrowObjects(store, join(repository.commonDir, 'objects'));
    return await work(store);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * A commit's tree without `.coach/`.
 * @throws CoachError `git.submodules`; `git.failed` when this clone lacks some of its objects
 */
export async function treeOfCommit(store: GitStore, commit: string, signal?: AbortSignal): Promise<string> {
  const entries = await filesOf(store, commit, signal);
  const nested = entries.filter(entry => entry.mode === '160000').map(entry => entry.path);
  if (nested.length > 0) throw submodulesError(nested);
  await requireObjects(store, commit, signal);
  return treeOf(
    store,
    entries.filter(entry => !isCoachPath(entry.path)),
    signal,
  );
}

/** A partial clone has commits whose files are not there. */
async function requireObjects(store: GitStore, commit: string, signal?: AbortSignal): Promise<void> {
  const args = ['rev-list', '--objects', '--no-walk', '--missing=print', '--quiet', commit];
  const { stdout } = await git(args, store, signal);
  const missing = stdout
    .toString()
    .split('\n')
    .filter(line => line.startsWith('?'));
  if (missing.length === 0) return;
  throw new CoachError('git.failed', `This clone lacks ${missing.length} objects of ${commit.slice(0, 12)}.`, {
    hint: 'It is a partial clone. Fetch the whole of it: git fetch --refetch --no-filter',
  });
}
