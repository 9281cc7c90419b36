import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import { git, gitText } from './git.ts';
import type { Repository } from './repository.ts';
import { lineEndings } from './status.ts';

/**
 * Puts the changes of tracked files aside with `git stash`; untracked files stay. This is the one call that writes to
 * the user's repository, so it is made only when nothing can run by it: never with filters (such as Git LFS).
 * @throws CoachError `git.failed` when filters are in use.
 */
export async function stashChanges(
  repository: Repository,
  changed: readonly string[],
  message: string,
  signal?: AbortSignal,
): Promise<void> {
  if (await hasFilters(repository, changed, signal)) {
    throw new CoachError(
      'git.failed',
      'This repository filters its files (as Git LFS does), so they are not stashed from here.',
      {
        hint: 'Commit them, or run: git stash',
      },
    );
  }
  const call = {
    gitDir: repository.gitDir,
    workTree: repository.root,
    config: await lineEndings(repository, signal),
    identity: { name: 'Codex Coach', email: 'coach@localhost', date: new Date().toISOString() },
  };
  await git(['stash', 'push', '--quiet', '--message', message], call, signal);
}

/** Whether an entry with this message is in the stash. */
export async function isStashed({ commonDir }: Repository, message: string): Promise<boolean> {
  // Read as a file: `git stash list` would check signatures with whatever program the repository's configuration names.
  const log = await readFile(join(commonDir, 'logs', 'refs', 'stash'), 'utf8').catch(() => '');
  return log.split('\n').some(line => line.endsWith(`: ${message}`));
}

/** Filters that are defined by the repository itself, or named for one of these files. */
async function hasFilters(repository: Repository, paths: readonly string[], signal?: AbortSignal): Promise<boolean> {
  const call = { gitDir: repository.gitDir, workTree: repository.root };
  const defined = await git(['config', '--includes', '--get-regexp', '^filter\\.'], { ...call, answers: [1] }, signal);
  if (defined.exitCode === 0) return true;
  const stdin = paths.map(path => `${path}\0`).join('');
  const named = await gitText(['check-attr', '-z', '--stdin', 'filter'], { ...call, stdin }, signal);
  return named.split('\0').some((value, at) => at % 3 === 2 && value !== 'unspecified' && value !== 'unset');
}
