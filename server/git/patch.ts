import { removeScratch, temporaryScratch } from '../base/owner.ts';
import { git } from './git.ts';
import { openStore } from './store.ts';
import { patchFailure } from './tree.ts';

/**
 * Applies a patch to the files of a directory, all or nothing, through a repository of ours: the directory's own
 * `.git` is not asked. git refuses paths that leave the directory or go through a link.
 * @throws CoachError `git.failed` when it does not apply.
 */
export async function applyPatch(directory: string, patch: Uint8Array, signal?: AbortSignal): Promise<void> {
  if (patch.length === 0) return;
  const temporary = await temporaryScratch('apply');
  try {
    const store = await openStore(temporary, signal);
    const call = { ...store, workTree: directory, stdin: patch };
    await git(['apply', '--binary', '--whitespace=nowarn'], call, signal).catch((error: unknown) => {
      throw patchFailure(error);
    });
  } finally {
    await removeScratch(temporary);
  }
}
