import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import type { DiffFile } from '../../protocol/runs.ts';
import { git, gitText, splitNul } from './git.ts';
import type { GitStore } from './store.ts';

export interface TreeEntry {
  readonly path: string;
  /** As git has it: `100644`, `100755`, `120000` (link), `160000` (submodule). */
  readonly mode: string;
  readonly blob: string;
}

export interface ChangedFile extends DiffFile {
  /** Lines; null for binary files. */
  readonly insertions: number | null;
  readonly deletions: number | null;
  /** Blob after the change; null when deleted. */
  readonly blob: string | null;
}

export interface TreeDiff {
  /** `git diff --binary`: `git apply` makes `to` out of `from` with it, byte by byte. */
  readonly patch: Buffer;
  readonly files: readonly ChangedFile[];
  readonly numbers: DiffNumbers;
}

export interface DiffNumbers {
  readonly files: number;
  readonly insertions: number;
  readonly deletions: number;
}

const treeDiff = [
  'diff-tree',
  '-r',
  '--no-renames',
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
  '--end-of-options',
];

/** Difference of two trees; renames are a deletion and an addition. `only` narrows it to these paths. */
export async function diffTrees(
  store: GitStore,
  from: string,
  to: string,
  signal?: AbortSignal,
  only?: readonly string[],
): Promise<TreeDiff> {
  const [command = '', ...flags] = treeDiff;
  // An empty list of paths would mean every path.
  if (only?.length === 0)
    return { patch: Buffer.alloc(0), files: [], numbers: { files: 0, insertions: 0, deletions: 0 } };
  const ask = async (...format: string[]) => {
    const args = ['--literal-pathspecs', command, ...format, ...flags, from, to, '--', ...(only ?? [])];
    return (await git(args, store, signal)).stdout;
  };
  const [raw, counts, patch] = await Promise.all([
    ask('-z', '--raw', '--no-abbrev'),
    ask('-z', '--numstat'),
    ask('-p', '--binary', '--full-index'),
  ]);
  const files = toChangedFiles(splitNul(raw), splitNul(counts));
  return { patch, files, numbers: toNumbers(files) };
}

/** Every file of a tree, sorted by path. */
export async function filesOf(store: GitStore, tree: string, signal?: AbortSignal): Promise<TreeEntry[]> {
  const { stdout } = await git(['ls-tree', '-r', '-z', '--full-tree', '--end-of-options', tree], store, signal);
  return splitNul(stdout).map(line => {
    const match = /^(\d+) \w+ ([0-9a-f]+)\t([\s\S]*)$/.exec(line);
    return { mode: match?.[1] ?? '', blob: match?.[2] ?? '', path: match?.[3] ?? '' };
  });
}

/** Content of a file in a tree, or null when it is not there. A link's content is its target. */
export async function fileAt(
  store: GitStore,
  tree: string,
  path: string,
  signal?: AbortSignal,
): Promise<Buffer | null> {
  const { stdout } = await git(
    ['--literal-pathspecs', 'ls-tree', '-z', '--full-tree', tree, '--', path],
    store,
    signal,
  );
  const blob = /^\d+ blob ([0-9a-f]+)\t/.exec(stdout.toString())?.[1];
  return blob === undefined ? null : readBlob(store, blob, signal);
}

export async function readBlob(store: GitStore, blob: string, signal?: AbortSignal): Promise<Buffer> {
  return (await git(['cat-file', 'blob', blob], store, signal)).stdout;
}

/** @returns its id */
export async function writeBlob(store: GitStore, content: Uint8Array, signal?: AbortSignal): Promise<string> {
  return gitText(['hash-object', '-w', '--stdin'], { ...store, stdin: content }, signal);
}

/**
 * The tree that a patch makes of another, without touching any file.
 * @throws CoachError `git.failed` when it does not apply.
 */
export async function patchTree(
  store: GitStore,
  tree: string,
  patch: Uint8Array,
  signal?: AbortSignal,
): Promise<string> {
  if (patch.length === 0) return tree;
  return withIndex(store, async indexed => {
    await git(['read-tree', tree], indexed, signal);
    await git(['apply', '--cached', '--binary', '--whitespace=nowarn'], { ...indexed, stdin: patch }, signal).catch(
      (error: unknown) => {
        throw patchFailure(error);
      },
    );
    return gitText(['write-tree'], indexed, signal);
  });
}

/** A patch that git refused, in words for the user. */
export function patchFailure(error: unknown): CoachError {
  const coach = CoachError.from(error);
  if (coach.code !== 'git.failed') return coach;
  return new CoachError('git.failed', `The patch does not apply. ${coach.message}`, {
    cause: error,
    hint: 'The patch belongs to another start, or was edited. Record or prepare the task again.',
  });
}

/** A tree of these entries alone. */
export async function treeOf(store: GitStore, entries: readonly TreeEntry[], signal?: AbortSignal): Promise<string> {
  return withIndex(store, async indexed => {
    const stdin = entries.map(({ mode, blob, path }) => `${mode} ${blob}\t${path}\0`).join('');
    await git(['update-index', '-z', '--index-info'], { ...indexed, stdin }, signal);
    return gitText(['write-tree'], indexed, signal);
  });
}

/** Calls `work` with an index file of its own, so that calls on one store never wait for or disturb each other. */
export async function withIndex<T>(
  store: GitStore,
  work: (indexed: GitStore & { readonly indexFile: string }) => Promise<T>,
): Promise<T> {
  const indexFile = join(store.gitDir, `index-${randomBytes(6).toString('hex')}`);
  try {
    return await work({ ...store, indexFile });
  } finally {
    await rm(indexFile, { force: true });
    await rm(`${indexFile}.lock`, { force: true });
  }
}

function toChangedFiles(raw: readonly string[], counts: readonly string[]): ChangedFile[] {
  const lines = new Map<string, { insertions: number | null; deletions: number | null }>();
  for (const entry of counts) {
    const match = /^(\d+|-)\t(\d+|-)\t([\s\S]*)$/.exec(entry);
    const count = (field: string | undefined) => (field === undefined || field === '-' ? null : Number(field));
    if (match) lines.set(match[3] ?? '', { insertions: count(match[1]), deletions: count(match[2]) });
  }
  const files: ChangedFile[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [, , , blob = '', letter = ''] = (raw[at] ?? '').split(' ');
    const path = raw[at + 1] ?? '';
    const { insertions, deletions } = lines.get(path) ?? { insertions: null, deletions: null };
    const status = letter === 'A' ? 'added' : letter === 'D' ? 'deleted' : 'modified';
    files.push({
      path,
      status,
      binary: insertions === null,
      insertions,
      deletions,
      blob: status === 'deleted' ? null : blob,
    });
  }
  return files;
}

function toNumbers(files: readonly ChangedFile[]): DiffNumbers {
  return {
    files: files.length,
    insertions: files.reduce((sum, file) => sum + (file.insertions ?? 0), 0),
    deletions: files.reduce((sum, file) => sum + (file.deletions ?? 0), 0),
  };
}
