import type { FileVersion, ReviewFile } from '../../../protocol/reviews.ts';
import { hunksOfTrees } from '../../git/hunks.ts';
import type { GitStore } from '../../git/store.ts';
import { diffTrees, filesOf } from '../../git/tree.ts';

/** Kind of a file by git's mode: what is not a plain file can't be shown line by line. */
export const isPlain = (version: FileVersion | null): boolean => version === null || version.mode.startsWith('100');

/** What a reviewer looks at between two trees of one store, by path. */
export async function changesBetween(
  store: GitStore,
  from: string,
  to: string,
  signal?: AbortSignal,
): Promise<ReviewFile[]> {
  const [start, end] = [await versionsOf(store, from, signal), await versionsOf(store, to, signal)];
  const { files } = await diffTrees(store, from, to, signal);
  const hunks = await hunksOfTrees(store, from, to, signal);
  return files.map(({ path, status, binary }) => {
    const file = { path, status, binary, start: start.get(path) ?? null, end: end.get(path) ?? null };
    const own = hunks.shift() ?? [];
    if (isPlain(file.start) !== isPlain(file.end)) hunks.shift();
    const inParts = status === 'modified' && isPlain(file.start) && isPlain(file.end);
    return { ...file, hunks: inParts ? own : [] };
  });
}

async function versionsOf(store: GitStore, tree: string, signal?: AbortSignal): Promise<Map<string, FileVersion>> {
  const entries = await filesOf(store, tree, signal);
  return new Map(entries.map(({ path, blob, mode }) => [path, { blob, mode }]));
}
