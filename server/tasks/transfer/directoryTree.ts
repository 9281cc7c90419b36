import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { extract, pack } from 'tar-stream';
import { CoachError } from '../../../protocol/errors.ts';

/** What lies in a directory, whole in memory: tasks are small. Paths are relative, with `/`. Modes are the nine bits of rwx. */
export type TreeNode =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly content: Buffer }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

export type FileNode = Extract<TreeNode, { kind: 'file' }>;

const maxTreeBytes = 512 * 1024 ** 2;

/**
 * Everything below a directory, parents first, links as links.
 * @throws CoachError `input.invalid` when it is none, or holds devices, or more than 512 MiB
 */
export async function readTree(directory: string): Promise<TreeNode[]> {
  if (!(await lstat(directory).catch(() => null))?.isDirectory()) throw refused(directory, 'it is no directory');
  const nodes: TreeNode[] = [];
  let sizeBytes = 0;
  const visit = async (prefix: string): Promise<void> => {
    for (const name of (await readdir(join(directory, prefix))).toSorted()) {
      const path = prefix === '' ? name : `${prefix}/${name}`;
      const stat = await lstat(join(directory, path));
      sizeBytes += stat.isFile() ? stat.size : 0;
      if (sizeBytes > maxTreeBytes) throw refused(directory, 'it holds more than 512 MiB');
      nodes.push(await readNode(directory, path, stat));
      if (stat.isDirectory()) await visit(path);
    }
  };
  await visit('');
  return nodes;
}

async function readNode(directory: string, path: string, stat: Stats): Promise<TreeNode> {
  const file = join(directory, path);
  const mode = stat.mode & 0o777;
  if (stat.isDirectory()) return { kind: 'directory', path, mode };
  if (stat.isSymbolicLink()) return { kind: 'link', path, target: await readlink(file) };
  if (stat.isFile()) return { kind: 'file', path, mode, content: await readFile(file) };
  throw refused(file, 'it is neither a file, a directory nor a link');
}

/** Writes nodes below an empty directory. Directories get their modes last: one of them may be read-only. */
export async function writeTree(directory: string, nodes: readonly TreeNode[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const node of nodes) {
    const path = join(directory, node.path);
    if (node.kind === 'directory') await mkdir(path, { recursive: true });
    else if (node.kind === 'link') await symlink(node.target, path);
    else {
      await writeFile(path, node.content, { flag: 'wx' });
      await chmod(path, node.mode);
    }
  }
  for (const node of nodes.toReversed())
    if (node.kind === 'directory') await chmod(join(directory, node.path), node.mode);
}

/** Nodes as a tar archive without times and owners: git keeps neither modes, links' targets on every system, nor empty directories. */
export async function packTree(nodes: readonly TreeNode[]): Promise<Buffer> {
  const archive = pack();
  const plain = { uid: 0, gid: 0, mtime: new Date(0) };
  for (const node of nodes) {
    if (node.kind === 'directory')
      archive.entry({ ...plain, name: `${node.path}/`, type: 'directory', mode: node.mode });
    else if (node.kind === 'link') archive.entry({ ...plain, name: node.path, type: 'symlink', linkname: node.target });
    else archive.entry({ ...plain, name: node.path, mode: node.mode }, node.content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/**
 * The nodes of an archive that `packTree` made. It may come from a hostile repository: what leads out of a directory, or
 * through a link, is refused.
 * @throws CoachError `task.invalid`
 */
export async function unpackTree(content: Buffer): Promise<TreeNode[]> {
  const archive = extract();
  archive.end(content);
  const nodes: TreeNode[] = [];
  const directories = new Set(['']);
  for await (const entry of archive) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const { name, type, mode = 0o644, linkname } = entry.header;
    const path = name.replace(/\/$/, '');
    const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    const isPlain = path !== '' && !path.split('/').some(part => ['', '.', '..'].includes(part));
    if (!isPlain || !directories.has(parent)) throw broken(name);
    if (type === 'directory') {
      directories.add(path);
      nodes.push({ kind: 'directory', path, mode });
    } else if (type === 'symlink' && linkname) nodes.push({ kind: 'link', path, target: linkname });
    else if (type === 'file') nodes.push({ kind: 'file', path, mode, content: Buffer.concat(chunks) });
    else throw broken(name);
  }
  return nodes;
}

/**
 * Plain files below a path of a tree, with paths relative to it; a link to a file of the same tree becomes a copy of it.
 * @throws CoachError `input.invalid` for a link that leads elsewhere
 */
export function filesUnder(nodes: readonly TreeNode[], under: string): FileNode[] {
  const prefix = under === '' ? '' : `${under}/`;
  const found: FileNode[] = [];
  for (const node of nodes) {
    if (node.kind === 'directory' || !node.path.startsWith(prefix)) continue;
    const path = node.path.slice(prefix.length);
    if (node.kind === 'file') found.push({ ...node, path });
    else found.push({ ...linkedFile(nodes, node), path });
  }
  return found;
}

function linkedFile(nodes: readonly TreeNode[], link: Extract<TreeNode, { kind: 'link' }>): FileNode {
  const target = join(link.path, '..', link.target).replaceAll('\\', '/');
  const file = nodes.find((node): node is FileNode => node.kind === 'file' && node.path === target);
  if (file !== undefined && !link.target.startsWith('/')) return file;
  throw refused(link.path, `it is a link to ${link.target}, which is no file of the task`);
}

/** A file of a tree, or null. */
export function fileOf(nodes: readonly TreeNode[], path: string): FileNode | null {
  const node = nodes.find(candidate => candidate.path === path);
  if (node === undefined || node.kind === 'directory') return null;
  return node.kind === 'file' ? node : linkedFile(nodes, node);
}

function refused(path: string, why: string): CoachError {
  return new CoachError('input.invalid', `${path} can't be imported: ${why}.`, {
    hint: 'Give the directory of one task, with plain files and links between them.',
  });
}

function broken(name: string): CoachError {
  return new CoachError('task.invalid', `The task's original.tar holds ${JSON.stringify(name)}, which no task holds.`, {
    hint: 'Import the task again.',
  });
}
