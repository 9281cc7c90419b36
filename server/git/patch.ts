import { tmpdir } from 'node:os';
import { removeScratch, temporaryScratch } from '../base/owner.ts';
import { git, splitNul } from './git.ts';
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

/**
 * Paths that a patch changes, as git reads it; null for one that renames or copies, of whose two paths it names one, and for
 * what is no patch. No repository is needed.
 */
export async function patchedPaths(patch: Uint8Array, signal?: AbortSignal): Promise<string[] | null> {
  if (/^(?:rename|copy) from /m.test(Buffer.from(patch).toString('latin1'))) return null;
  try {
    // The name is the third field, after the lines that were added and removed.
    const { stdout } = await git(['apply', '--numstat', '-z'], { gitDir: tmpdir(), stdin: patch }, signal);
    return splitNul(stdout).map(entry => entry.split('\t').slice(2).join('\t'));
  } catch {
    signal?.throwIfAborted();
    return null;
  }
}
