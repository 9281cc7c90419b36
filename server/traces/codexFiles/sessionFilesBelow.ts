import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** A session file that lies there, not read yet. */
export interface CodexSessionFile {
  /** Codex's thread id, which is the session id of the same traffic when it is recorded by the proxy. */
  readonly id: string;
  readonly file: string;
  readonly modifiedMs: number;
  readonly sizeBytes: number;
}

const fileName = /^rollout-.+-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl(?:\.zst|\.gz)?$/;

/** Years, months, days below `sessions`; deeper there is nothing of Codex's. */
const maxDepth = 4;

/** Links by other names may lead anywhere, such as to all of a disk. */
const dateName = /^\d{2,4}$/;

/** Session files in a directory and below it, each once; links are followed. None where it can't be read. */
export async function sessionFilesBelow(directory: string): Promise<CodexSessionFile[]> {
  const found: CodexSessionFile[] = [];
  const seen = new Set<string>();
  let level = await realPlace(directory);
  // One level after another: a directory to which several ways lead is read on the shortest.
  for (let depth = 0; depth <= maxDepth; depth++) {
    const here = level.filter(place => !seen.has(place) && seen.add(place));
    const entries = (await Promise.all(here.map(entriesOf))).flat();
    const files = entries.filter(({ entry }) => !entry.isDirectory());
    found.push(...(await Promise.all(files.map(({ path }) => toSessionFile(path)))).flat());
    level = (await Promise.all(entries.map(toDirectory))).flat();
  }
  return found;
}

interface Entry {
  readonly entry: Dirent;
  readonly path: string;
}

async function entriesOf(directory: string): Promise<Entry[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((): Dirent[] => []);
  return entries.map(entry => ({ entry, path: join(directory, entry.name) }));
}

/** Its real path; none for what is no directory. */
async function toDirectory({ entry, path }: Entry): Promise<string[]> {
  if (entry.isDirectory()) return [path];
  return entry.isSymbolicLink() && dateName.test(entry.name) ? realPlace(path) : [];
}

async function realPlace(path: string): Promise<string[]> {
  return realpath(path).then(
    real => [real],
    () => [],
  );
}

async function toSessionFile(file: string): Promise<CodexSessionFile[]> {
  const id = fileName.exec(basename(file))?.[1];
  if (id === undefined) return [];
  const stats = await stat(file).catch(() => null);
  if (stats?.isFile() !== true) return [];
  return [{ id, file, modifiedMs: Math.floor(stats.mtimeMs), sizeBytes: stats.size }];
}
