import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeScratch, temporaryScratch } from '../base/owner.ts';
import { git } from './git.ts';

/** `git merge-file` ends with the number of conflicts, at most 127, or with 255 where it can't merge. */
const conflicts = [...Array.from({ length: 127 }, (_, index) => index + 1), 255];

/**
 * Both changes of `base` in one text, as `git merge-file` makes it, byte by byte.
 * @returns null when they meet, or when a side is not text
 */
export async function mergeFile(
  ours: Buffer,
  base: Buffer,
  theirs: Buffer,
  signal?: AbortSignal,
): Promise<Buffer | null> {
  const directory = await temporaryScratch('merge');
  try {
    const files = { ours, base, theirs };
    for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
    const args = ['merge-file', '-p', '--quiet', 'ours', 'base', 'theirs'];
    const { exitCode, stdout } = await git(args, { gitDir: directory, answers: conflicts }, signal);
    return exitCode === 0 ? stdout : null;
  } finally {
    await removeScratch(directory);
  }
}
