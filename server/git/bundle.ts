import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import { removeScratch, temporaryScratch } from '../base/owner.ts';
import { readOnlyError } from '../base/paths.ts';
import { type GitIdentity, git, gitText } from './git.ts';
import { borrowObjects, exactBytes, type GitStore, openStore } from './store.ts';

/** The one commit of every bundle; fixed, so that equal trees give equal commits on every machine. */
const sealIdentity: GitIdentity = { name: 'Codex Coach', email: 'coach@localhost', date: '2025-01-01T00:00:00Z' };
const sealMessage = 'Start of the task\n';

/**
 * Writes a git bundle that holds one commit of `tree` on `main` and no other object.
 * @returns the commit's id
 */
export async function bundleOf(store: GitStore, tree: string, file: string, signal?: AbortSignal): Promise<string> {
  return withTemporaryStore(store, async sealed => {
    const commit = await gitText(
      ['commit-tree', tree, '-F', '-'],
      { ...sealed, identity: sealIdentity, stdin: sealMessage },
      signal,
    );
    await git(['update-ref', 'refs/heads/main', commit], sealed, signal);
    // One thread: the same objects are packed into the same bytes.
    const config = { 'pack.threads': '1' };
    await git(['bundle', 'create', '--quiet', file, 'HEAD', 'refs/heads/main'], { ...sealed, config }, signal);
    return commit;
  });
}

export interface OpenedBundle extends GitStore {
  readonly commit: string;
  readonly tree: string;
}

/**
 * Unpacks a bundle into a bare store of ours.
 * @throws CoachError `task.invalid` when it is missing, broken, or has more than one commit.
 */
export async function openBundle(bundle: string, directory: string, signal?: AbortSignal): Promise<OpenedBundle> {
  const store = await openStore(directory, signal);
  return { ...store, ...(await unpack(bundle, store.gitDir, signal)) };
}

/** Calls `work` with a bundle unpacked in a temporary directory. */
export async function withBundle<T>(
  bundle: string,
  work: (opened: OpenedBundle) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const directory = await temporaryScratch('bundle');
  try {
    return await work(await openBundle(bundle, directory, signal));
  } finally {
    await removeScratch(directory);
  }
}

/**
 * Makes `directory` a repository with the bundle's one commit checked out byte by byte on `main`, no remote, no reflog.
 * @throws CoachError `task.invalid` for a broken bundle.
 */
export async function checkoutBundle(bundle: string, directory: string, signal?: AbortSignal): Promise<string> {
  const gitDir = join(directory, '.git');
  try {
    await mkdir(join(gitDir, 'info'), { recursive: true });
    await writeFile(join(gitDir, 'info', 'attributes'), exactBytes);
  } catch (cause) {
    throw readOnlyError(directory, cause);
  }
  const call = { gitDir, workTree: directory, config: { 'core.logAllRefUpdates': 'false' } };
  // Without GIT_WORK_TREE: with it, init would write this machine's path into the repository.
  await git(
    ['init', '--quiet', '--template=', '--initial-branch=main'],
    { gitDir, config: { 'core.bare': 'false' } },
    signal,
  );
  await git(['config', 'core.bare', 'false'], { gitDir }, signal);
  const { commit } = await unpack(bundle, gitDir, signal);
  await git(['update-ref', 'refs/heads/main', commit], call, signal);
  await git(['reset', '--quiet', '--hard', commit], call, signal);
  await rm(join(gitDir, 'ORIG_HEAD'), { force: true });
  return commit;
}

async function unpack(bundle: string, gitDir: string, signal?: AbortSignal): Promise<{ commit: string; tree: string }> {
  const broken = (reason: string, cause?: unknown) =>
    new CoachError('task.invalid', `${bundle} is not a sealed repository: ${reason}.`, {
      cause,
      hint: 'Prepare the task again, or restore the file from version control.',
    });
  const heads = await gitText(['bundle', 'unbundle', bundle], { gitDir }, signal).catch((error: unknown) => {
    throw CoachError.from(error).code === 'git.failed' ? broken(CoachError.from(error).message, error) : error;
  });
  const commits = new Set(heads.split('\n').map(line => line.split(' ')[0] ?? ''));
  const [commit = ''] = commits;
  if (commits.size !== 1 || commit === '') throw broken(`it names ${commits.size} commits, not one`);
  const counting = gitText(['rev-list', '--count', commit], { gitDir }, signal);
  const finding = gitText(['rev-parse', `${commit}^{tree}`], { gitDir }, signal);
  const [count, tree] = await Promise.all([counting, finding]).catch((error: unknown) => {
    throw broken('objects are missing', error);
  });
  if (count !== '1') throw broken(`it holds ${count} commits, not one`);
  return { commit, tree };
}

async function withTemporaryStore<T>(from: GitStore, work: (store: GitStore) => Promise<T>): Promise<T> {
  const directory = await temporaryScratch('seal');
  try {
    const store = await openStore(directory);
    await borrowObjects(store, join(from.gitDir, 'objects'));
    return await work(store);
  } finally {
    await removeScratch(directory);
  }
}
