import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header, type Pack, pack } from 'tar-stream';
import { CoachError } from '../../protocol/errors.ts';
import { copyLimits, sandboxUser } from './places.ts';

type Kind = 'directory' | 'file' | 'other';

/**
 * Unpacks an archive that untrusted code had its hands on into an empty directory of ours. The first part of each
 * name is dropped, as is every `.git`. Links stay links and nothing is written through one: a file is only made in
 * a directory that this call made. Devices and pipes are left out; of the mode only "executable" is kept.
 * @throws CoachError `sandbox.failed` above the copy limits.
 */
export async function unpackUntrusted(
  archive: NodeJS.ReadableStream,
  directory: string,
  signal: AbortSignal,
  limits: { readonly sizeBytes: number; readonly entries: number } = copyLimits,
): Promise<void> {
  const made = new Map<string, Kind>([['', 'directory']]);
  const unpack = extract();
  let sizeBytes = 0;
  let entries = 0;
  const read = async () => {
    for await (const entry of unpack) {
      sizeBytes += entry.header.size ?? 0;
      entries++;
      if (sizeBytes > limits.sizeBytes || entries > limits.entries) throw tooLarge(limits);
      await unpackEntry(entry as unknown as Entry, directory, made);
      entry.resume();
    }
  };
  await Promise.all([pipeline(archive, unpack, { signal }), read()]);
}

/** The first bytes of the plain file that an archive begins with; null when it begins with something else. */
export async function firstFile(
  archive: NodeJS.ReadableStream,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer | null> {
  const unpack = extract();
  const feeding = pipeline(archive, unpack, { signal });
  // Cut off as soon as enough is known.
  feeding.catch(() => undefined);
  try {
    for await (const entry of unpack) {
      if (entry.header.type !== 'file') return null;
      const chunks: Buffer[] = [];
      let leftBytes = maxBytes;
      for await (const chunk of entry as unknown as AsyncIterable<Buffer>) {
        chunks.push(chunk.subarray(0, leftBytes));
        leftBytes -= chunk.length;
        if (leftBytes <= 0) break;
      }
      return Buffer.concat(chunks);
    }
    return null;
  } finally {
    unpack.destroy();
    signal.throwIfAborted();
  }
}

export function tooLarge(limits: { readonly sizeBytes: number; readonly entries: number }): CoachError {
  const size = `${Math.round(limits.sizeBytes / 1024 ** 2)} MiB`;
  return new CoachError('sandbox.diskSpent', `The agent left more than ${size} or ${limits.entries} files.`, {
    hint: 'Look at what it wrote; caches and build output belong outside the repository.',
  });
}

type Entry = Readable & { readonly header: Header };
type NewHeader = Partial<Header> & { name: string };

async function unpackEntry(entry: Entry, directory: string, made: Map<string, Kind>): Promise<void> {
  const path = safePath(entry.header.name);
  if (path === null || path === '' || made.has(path)) return;
  if (!(await ensureParents(path, directory, made))) return;
  const target = join(directory, path);
  switch (entry.header.type) {
    case 'directory':
      await mkdir(target);
      made.set(path, 'directory');
      return;
    case 'symlink':
      await symlink(entry.header.linkname, target);
      made.set(path, 'other');
      return;
    case 'link': {
      const source = safePath(entry.header.linkname);
      if (source === null || made.get(source) !== 'file') return;
      await copyFile(join(directory, source), target);
      made.set(path, 'file');
      return;
    }
    case 'file':
    case 'contiguous-file':
      await pipeline(entry, createWriteStream(target, { flags: 'wx', mode: plainMode(entry.header.mode) }));
      made.set(path, 'file');
  }
}

/** Makes the directories above `path`; false when one of them is a file or a link. */
async function ensureParents(path: string, directory: string, made: Map<string, Kind>): Promise<boolean> {
  const parts = path.split('/').slice(0, -1);
  for (let length = 1; length <= parts.length; length++) {
    const parent = parts.slice(0, length).join('/');
    const kind = made.get(parent);
    if (kind === undefined) {
      await mkdir(join(directory, parent));
      made.set(parent, 'directory');
    } else if (kind !== 'directory') return false;
  }
  return true;
}

/** A name without its first part; null for what must not be written. */
function safePath(name: string): string | null {
  const parts = name.split('/').filter(part => part !== '' && part !== '.');
  if (parts.some(part => part === '..' || isGitDirectory(part))) return null;
  return parts.slice(1).join('/');
}

/** `.git` in any case: file systems that ignore case would take `.GIT` for it. */
export function isGitDirectory(name: string): boolean {
  return name.toLowerCase() === '.git';
}

function plainMode(mode: number | undefined): number {
  return ((mode ?? 0) & 0o100) !== 0 ? 0o755 : 0o644;
}

/**
 * The files of a host directory as an archive, in the order of their names, owned by the sandbox's user. `below`
 * is the directory that they go into, `extra` adds files by their content. Links are refused unless `links` keeps them as they are.
 */
export function packDirectory(
  directory: string,
  options: { below?: string; links?: 'refuse' | 'keep'; extra?: Readonly<Record<string, string>> } = {},
): Readable {
  const { below = '', links = 'refuse', extra = {} } = options;
  const archive = pack();
  const fill = async () => {
    for (const [name, content] of Object.entries(extra)) archive.entry({ ...plainOwner, name }, content);
    const parts = below.split('/').filter(Boolean);
    for (const [index] of parts.entries()) {
      const name = `${parts.slice(0, index + 1).join('/')}/`;
      await addEntry(archive, { ...plainOwner, name, type: 'directory', mode: 0o755 });
    }
    await addDirectory(archive, directory, parts.map(part => `${part}/`).join(''), links);
    archive.finalize();
  };
  void fill().catch((error: unknown) => archive.destroy(error as Error));
  return Readable.from(archive);
}

/** The same in every archive, so that equal content gives equal bytes. */
const plainOwner = { uid: sandboxUser, gid: sandboxUser, mtime: new Date(0) };

async function addDirectory(archive: Pack, directory: string, prefix: string, links: 'refuse' | 'keep'): Promise<void> {
  for (const name of (await readdir(directory)).toSorted()) {
    const path = join(directory, name);
    const stat = await lstat(path);
    if (stat.isDirectory()) {
      await addEntry(archive, { ...plainOwner, name: `${prefix}${name}/`, type: 'directory', mode: 0o755 });
      await addDirectory(archive, path, `${prefix}${name}/`, links);
    } else if (stat.isFile()) {
      const header: NewHeader = {
        ...plainOwner,
        name: `${prefix}${name}`,
        size: stat.size,
        mode: plainMode(stat.mode),
      };
      await pipeline(createReadStream(path), archive.entry(header));
    } else if (stat.isSymbolicLink() && links === 'keep') {
      const linkname = await readlink(path);
      await addEntry(archive, { ...plainOwner, name: `${prefix}${name}`, type: 'symlink', linkname });
    } else throw new CoachError('task.invalid', `${path} is a link or a device; only files and directories go in.`);
  }
}

function addEntry(archive: Pack, header: NewHeader): Promise<void> {
  return new Promise((resolve, reject) => {
    archive.entry(header, error => (error ? reject(error) : resolve()));
  });
}
