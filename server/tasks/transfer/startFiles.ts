import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import { removeScratch, temporaryScratch } from '../../base/owner.ts';
import { bundleOf } from '../../git/bundle.ts';
import { gitText } from '../../git/git.ts';
import { isCoachPath } from '../../git/ignore.ts';
import { repositoryAt } from '../../git/repository.ts';
import { borrowObjects, type GitStore, openStore } from '../../git/store.ts';
import { filesOf, treeOf } from '../../git/tree.ts';
import type { FileNode } from './directoryTree.ts';

/** Writes a bundle of one commit that holds these files. */
export async function bundleOfFiles(files: readonly FileNode[], bundle: string, signal: AbortSignal): Promise<void> {
  await withStore(async store => {
    const entries: { path: string; mode: string; blob: string }[] = [];
    for (const { path, mode, content } of files) {
      const blob = await gitText(['hash-object', '-w', '--stdin'], { ...store, stdin: content }, signal);
      entries.push({ path, mode: (mode & 0o100) === 0 ? '100644' : '100755', blob });
    }
    await bundleOf(store, await treeOf(store, entries, signal), bundle, signal);
  });
}

/** Whether the user's repository has a commit. */
export function hasCommit(root: string, commit: string, signal: AbortSignal): Promise<boolean> {
  return withBorrowed(root, signal, async store => (await treeAt(store, commit, signal)) !== null);
}

/** Writes a bundle of one commit that holds the files of a commit of the user's repository, but for submodules and `.coach/`. */
export async function bundleOfCommit(root: string, commit: string, bundle: string, signal: AbortSignal): Promise<void> {
  await withBorrowed(root, signal, async store => {
    const tree = await treeAt(store, commit, signal);
    if (tree === null) throw new CoachError('git.failed', `${root} has no commit ${commit}.`);
    const files = await filesOf(store, tree, signal);
    const kept = files.filter(file => file.mode !== '160000' && !isCoachPath(file.path));
    await bundleOf(store, await treeOf(store, kept, signal), bundle, signal);
  });
}

function treeAt(store: GitStore, commit: string, signal: AbortSignal): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{tree}`];
  return gitText(args, store, signal).catch(() => null);
}

async function withBorrowed<T>(root: string, signal: AbortSignal, work: (store: GitStore) => Promise<T>): Promise<T> {
  const { commonDir } = await repositoryAt(root, signal);
  return withStore(async store => {
    await borrowObjects(store, join(commonDir, 'objects'));
    return work(store);
  });
}

async function withStore<T>(work: (store: GitStore) => Promise<T>): Promise<T> {
  const directory = await temporaryScratch('import');
  try {
    return await work(await openStore(directory));
  } finally {
    await removeScratch(directory);
  }
}
