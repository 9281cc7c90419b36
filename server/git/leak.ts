import { join } from 'node:path';
import { git } from './git.ts';

/**
 * Which of these blobs a repository holds, anywhere: reachable, dangling, or in a pack. For `directory` a working tree
 * with `.git` or, when `bare`, the repository itself.
 */
export async function leakedBlobs(
  directory: string,
  blobIds: readonly string[],
  options: { readonly bare: boolean },
  signal?: AbortSignal,
): Promise<string[]> {
  const gitDir = options.bare ? directory : join(directory, '.git');
  const all = await git(
    ['cat-file', '--batch-all-objects', '--batch-check=%(objectname)', '--unordered'],
    { gitDir },
    signal,
  );
  const stored = new Set(all.stdout.toString().split('\n'));
  const leaked: string[] = [];
  for (const id of blobIds) {
    const { exitCode } = await git(['cat-file', '-e', '--end-of-options', id], { gitDir, answers: [1, 128] }, signal);
    if (exitCode === 0 || stored.has(id)) leaked.push(id);
  }
  return leaked;
}
