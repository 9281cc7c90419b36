import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import type { RepositoryState } from '../../protocol/tasks.ts';
import { git, gitText, splitNul } from './git.ts';

/** A user's repository. Read without running anything that its configuration names, so it need not be trusted. */
export interface Repository {
  /** Top of the working tree, absolute, links resolved. */
  readonly root: string;
  /** Its `.git` directory; of a linked worktree, the worktree's own. */
  readonly gitDir: string;
  /** Where objects and refs lie: `gitDir`, but for linked worktrees. */
  readonly commonDir: string;
  /** Commit id, or null while there is no commit. */
  readonly head: string | null;
  /** Null when the head is detached. */
  readonly branch: string | null;
  readonly remotes: readonly Remote[];
  /** Paths of submodules. */
  readonly submodules: readonly string[];
}

export interface Remote {
  readonly name: string;
  /** Without user and password. */
  readonly url: string;
}

/**
 * The repository that holds `directory`.
 * @throws CoachError `git.notARepository`, `git.missing`.
 */
export async function repositoryAt(directory: string, signal?: AbortSignal): Promise<Repository> {
  const { root, gitDir } = await findRoot(directory);
  const commonDir = await commonDirectory(gitDir);
  const call = { gitDir };
  const head = await git(['rev-parse', '--verify', '--quiet', 'HEAD'], { ...call, answers: [1, 128] }, signal);
  const branch = await git(['symbolic-ref', '--quiet', '--short', 'HEAD'], { ...call, answers: [1] }, signal);
  return {
    root,
    gitDir,
    commonDir,
    head: head.exitCode === 0 ? head.stdout.toString().trim() : null,
    branch: branch.exitCode === 0 ? branch.stdout.toString().trim() : null,
    remotes: await remotesOf(gitDir, signal),
    submodules: (await trackedFiles(gitDir, root, signal))
      .filter(file => file.mode === '160000')
      .map(file => file.path),
  };
}

/**
 * What a directory is to us, where that it is in no repository is an answer.
 * @throws CoachError `git.missing`
 */
export async function repositoryState(directory: string, signal?: AbortSignal): Promise<RepositoryState> {
  try {
    return (await repositoryAt(directory, signal)).head === null ? 'empty' : 'ready';
  } catch (error) {
    if (error instanceof CoachError && error.code === 'git.notARepository') return 'none';
    throw error;
  }
}

/** @throws CoachError `git.noCommit` while the repository has none. */
export function requireCommit(repository: Repository): string {
  if (repository.head !== null) return repository.head;
  throw new CoachError('git.noCommit', `${repository.root} has no commit yet.`, {
    hint: 'A task starts from a commit: git add -A && git commit -m "Start"',
  });
}

export function submodulesError(paths: readonly string[]): CoachError {
  return new CoachError(
    'git.submodules',
    `The repository has submodules or nested repositories: ${paths.join(', ')}.`,
    {
      hint: 'Submodules that are checked out can be recorded (task start), as plain files; commits with them can’t become tasks afterwards. Move other nested repositories elsewhere, or ignore them.',
    },
  );
}

/** What the user's index holds. */
export async function trackedFiles(
  gitDir: string,
  root: string,
  signal?: AbortSignal,
): Promise<{ mode: string; path: string }[]> {
  const { stdout } = await git(['ls-files', '-z', '--stage', '--full-name'], { gitDir, workTree: root }, signal);
  return splitNul(stdout).map(entry => ({ mode: entry.slice(0, 6), path: entry.slice(entry.indexOf('\t') + 1) }));
}

/** Commits from `from` (without it) to `to`, oldest first, at most 1000. */
export async function commitsBetween(
  repository: Repository,
  from: string,
  to: string,
  signal?: AbortSignal,
): Promise<string[]> {
  if (from === to) return [];
  const args = ['rev-list', '--reverse', '--max-count=1000', '--end-of-options', `${from}..${to}`];
  const text = await gitText(args, { gitDir: repository.gitDir }, signal);
  return text === '' ? [] : text.split('\n');
}

async function findRoot(directory: string): Promise<{ root: string; gitDir: string }> {
  const start = await realpath(directory).catch((cause: unknown) => {
    throw new CoachError('git.notARepository', `There is no directory ${directory}.`, {
      cause,
      hint: 'Check the path.',
    });
  });
  for (let at = start; ; at = dirname(at)) {
    const gitDir = await gitDirectoryOf(join(at, '.git'));
    if (gitDir !== null) return { root: at, gitDir };
    if (dirname(at) === at) break;
  }
  throw new CoachError('git.notARepository', `${directory} is not in a git repository.`, {
    hint: 'Make it one: git init && git add -A && git commit -m "Start"',
  });
}

/** `.git` as a directory, or as the one-line file of worktrees and submodules. */
async function gitDirectoryOf(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found === null) return null;
  if (found.isDirectory()) return (await stat(join(path, 'HEAD')).catch(() => null)) === null ? null : path;
  const target = /^gitdir: (.+)$/m.exec(await readFile(path, 'utf8'))?.[1];
  return target === undefined ? null : resolve(dirname(path), target.trim());
}

async function commonDirectory(gitDir: string): Promise<string> {
  const target = await readFile(join(gitDir, 'commondir'), 'utf8').catch(() => null);
  return target === null ? gitDir : resolve(gitDir, target.trim());
}

async function remotesOf(gitDir: string, signal?: AbortSignal): Promise<Remote[]> {
  const args = ['config', '--local', '--null', '--get-regexp', '^remote\\..*\\.url$'];
  const { stdout } = await git(args, { gitDir, answers: [1] }, signal);
  return splitNul(stdout).map(entry => {
    const [key = '', url = ''] = entry.split('\n');
    return {
      name: key.slice('remote.'.length, -'.url'.length),
      url: url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1'),
    };
  });
}
