import { lstat, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MergedFile, ReviewFile } from '../../../protocol/reviews.ts';
import { hunksOfBlobs } from '../../git/hunks.ts';
import { mergeFile } from '../../git/mergeFile.ts';
import type { GitStore } from '../../git/store.ts';
import { readBlob, writeBlob } from '../../git/tree.ts';
import { isPlain } from './changes.ts';
import { acceptHunks, lineBreakOf, toLineEdits, withLineBreaksOf } from './lines.ts';

type Action = MergedFile['action'];

/**
 * What accepting hunks of a file would do to the working tree. Base is the start, one side the start with the accepted
 * hunks, the other the file as it lies there. Nothing is written.
 * @param root of the working tree, absolute, links resolved
 * @param hunks indices; null takes the whole change
 */
export async function mergeChange(
  file: ReviewFile,
  hunks: readonly number[] | null,
  root: string,
  store: GitStore,
  signal?: AbortSignal,
): Promise<MergedFile> {
  const { path, start, end } = file;
  const mode = end !== null && end.mode !== (start?.mode ?? '100644') ? end.mode : null;
  if (!isPlain(start) || !isPlain(end)) return refused(path, 'It is a link.');
  const ours = await workingFile(root, path);
  if (typeof ours === 'string') return refused(path, ours);
  const base = start === null ? null : await readBlob(store, start.blob, signal);
  const change = end === null ? null : await readBlob(store, end.blob, signal);
  if (base === null || change === null || file.binary) {
    return { path, mode, moved: !isSame(ours, base), action: mergeWhole(ours, base, change) };
  }
  const taken = hunks === null ? change : acceptHunks(base, change, file.hunks, new Set(hunks));
  const moved = ours === null || !ours.equals(withLineBreaksOf(ours, base, base));
  return { path, mode, moved, action: await mergeText(ours, base, taken, store, signal) };
}

function refused(path: string, reason: string): MergedFile {
  return { path, mode: null, moved: false, action: { kind: 'refused', reason } };
}

/** For what has no lines to merge: the working tree has to be as it was at the start, or as it is to be. */
function mergeWhole(ours: Buffer | null, base: Buffer | null, theirs: Buffer | null): Action {
  if (isSame(ours, theirs)) return { kind: 'none' };
  if (!isSame(ours, base)) return conflict(theirs);
  if (theirs === null) return { kind: 'delete' };
  return { kind: ours === null ? 'create' : 'replace', content: theirs.toString('base64') };
}

async function mergeText(
  ours: Buffer | null,
  base: Buffer,
  theirs: Buffer,
  store: GitStore,
  signal?: AbortSignal,
): Promise<Action> {
  if (ours === null) return conflict(theirs);
  const [from, to] = [base, theirs].map(content => withLineBreaksOf(ours, base, content)) as [Buffer, Buffer];
  const merged = await mergeFile(ours, from, to, signal);
  if (merged === null) return conflict(to);
  if (merged.equals(ours)) return { kind: 'none' };
  const breaks = lineBreakOf(ours);
  if (breaks === null || breaks === 'none' || ![breaks, 'none'].includes(lineBreakOf(merged) ?? '')) {
    return { kind: 'replace', content: merged.toString('base64') };
  }
  const [before, after] = [await writeBlob(store, ours, signal), await writeBlob(store, merged, signal)];
  const edits = toLineEdits(merged, await hunksOfBlobs(store, before, after, signal));
  return { kind: 'edit', before: ours.toString('base64'), edits };
}

const conflict = (accepted: Buffer | null): Action => ({
  kind: 'conflict',
  accepted: accepted?.toString('base64') ?? null,
});

const isSame = (one: Buffer | null, other: Buffer | null): boolean =>
  one === null || other === null ? one === other : one.equals(other);

/** A file of the working tree, null when there is none, or why it is left alone. */
async function workingFile(root: string, path: string): Promise<Buffer | string | null> {
  const place = join(root, path);
  const directory = await realpath(dirname(place)).catch(() => null);
  if (directory !== null && directory !== dirname(place)) return 'It lies behind a link.';
  const found = await lstat(place).catch(() => null);
  if (found === null) return null;
  return found.isFile() ? readFile(place) : 'There is a link or a directory in its place.';
}
