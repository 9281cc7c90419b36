import type { Hunk } from '../../protocol/reviews.ts';
import { git } from './git.ts';
import type { GitStore } from './store.ts';

const noContext = ['--no-renames', '--no-ext-diff', '--no-textconv', '--no-color', '--unified=0'];

/** Hunks of each file that differs between two trees, in git's order of files; a file that became a link has two lists. */
export async function hunksOfTrees(store: GitStore, from: string, to: string, signal?: AbortSignal): Promise<Hunk[][]> {
  const args = ['diff-tree', '-r', '-p', ...noContext, '--end-of-options', from, to];
  return hunksOfPatch((await git(args, store, signal)).stdout.toString('latin1'));
}

/** Hunks between two blobs; none for binary ones. */
export async function hunksOfBlobs(store: GitStore, from: string, to: string, signal?: AbortSignal): Promise<Hunk[]> {
  const { stdout } = await git(['diff', ...noContext, '--end-of-options', from, to], store, signal);
  return hunksOfPatch(stdout.toString('latin1'))[0] ?? [];
}

/** Hunks of a patch without context, file by file. Content that looks like a header is skipped by the hunk's own counts. */
export function hunksOfPatch(patch: string): Hunk[][] {
  const files: Hunk[][] = [];
  let content = 0;
  for (const line of patch.split('\n')) {
    if (line.startsWith('\\')) continue;
    if (content > 0) {
      content--;
      continue;
    }
    if (line.startsWith('diff --git ')) files.push([]);
    const hunk = toHunk(line);
    if (hunk === null) continue;
    files.at(-1)?.push(hunk);
    content = hunk.start.count + hunk.end.count;
  }
  return files;
}

function toHunk(line: string): Hunk | null {
  const match = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
  if (match === null) return null;
  const lines = (at: string | undefined, count: string | undefined) => ({
    line: Number(at),
    count: Number(count ?? 1),
  });
  return { start: lines(match[1], match[2]), end: lines(match[3], match[4]) };
}
