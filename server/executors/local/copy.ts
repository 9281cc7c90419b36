import { chmod, copyFile, lstat, mkdir, open, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import { retireScratch } from '../../base/owner.ts';
import { isGitDirectory, tooLarge } from '../archive.ts';
import { copyLimits } from '../places.ts';

/**
 * Copies what an ended sandbox left in a directory: `.git` dropped, links kept as links and never followed, pipes and
 * sockets left out, of the mode only "executable" kept. Nothing runs in there any more, so what `lstat` says holds.
 */
export async function copyUntrusted(
  from: string,
  to: string,
  signal: AbortSignal,
  limits: { readonly sizeBytes: number; readonly entries: number } = copyLimits,
): Promise<void> {
  let sizeBytes = 0;
  let entries = 0;
  const copy = async (source: string, target: string): Promise<void> => {
    // The agent may have taken our right to read: we own the file, so we may give it back.
    await chmod(source, 0o700);
    for (const name of await readdir(source)) {
      signal.throwIfAborted();
      if (isGitDirectory(name)) continue;
      const [path, copied] = [join(source, name), join(target, name)];
      const stat = await lstat(path);
      sizeBytes += stat.isFile() ? stat.size : 0;
      entries++;
      if (sizeBytes > limits.sizeBytes || entries > limits.entries) throw tooLarge(limits);
      if (stat.isDirectory()) {
        await mkdir(copied);
        await copy(path, copied);
      } else if (stat.isSymbolicLink()) await symlink(await readlink(path), copied);
      else if (stat.isFile()) {
        await chmod(path, stat.mode | 0o400);
        await copyFile(path, copied);
        await chmod(copied, (stat.mode & 0o100) !== 0 ? 0o755 : 0o644);
      }
    }
  };
  await copy(from, to);
}

/** The first bytes of a plain file below `root`; null when there is none, or a link is on the way. */
export async function readUntrusted(root: string, path: string, maxBytes: number): Promise<Buffer | null> {
  let at = root;
  for (const part of path.split('/')) {
    at = join(at, part);
    const stat = await lstat(at).catch(() => null);
    if (stat === null || stat.isSymbolicLink()) return null;
  }
  const stat = await lstat(at);
  if (!stat.isFile()) return null;
  // The agent may have taken our right to read.
  await chmod(at, stat.mode | 0o400);
  const file = await open(at);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(stat.size, maxBytes)));
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Copies a host directory of ours into a sandbox's. Links are refused; `onMade` sees every path that was written. */
export async function copyTrusted(from: string, to: string, onMade: (path: string) => Promise<void>): Promise<void> {
  for (const name of await readdir(from)) {
    const [path, copied] = [join(from, name), join(to, name)];
    const stat = await lstat(path);
    if (stat.isDirectory()) {
      await makeDirectory(copied, onMade);
      await copyTrusted(path, copied, onMade);
    } else if (stat.isFile()) {
      // What stands there may be a link that leads out of the sandbox: it is removed, not written through.
      await rm(copied, { recursive: true, force: true });
      await copyFile(path, copied);
      await onMade(copied);
    } else throw new CoachError('task.invalid', `${path} is a link or a device; only files and directories go in.`);
  }
}

/** Makes one directory, in place of whatever else stands there. */
export async function makeDirectory(path: string, onMade: (path: string) => Promise<void>): Promise<void> {
  const standing = await lstat(path).catch(() => null);
  if (standing?.isDirectory()) return;
  if (standing !== null) await rm(path, { force: true });
  await mkdir(path);
  await onMade(path);
}

/** Removes a scratch directory although directories in it may have lost their permissions. */
export async function removeUntrusted(scratch: string): Promise<void> {
  const directory = await retireScratch(scratch);
  if (directory === null) return;
  const open = async (path: string): Promise<void> => {
    await chmod(path, 0o700).catch(() => undefined);
    for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
      if (entry.isDirectory()) await open(join(path, entry.name));
    }
  };
  await rm(directory, { recursive: true, force: true }).catch(async () => {
    await open(directory);
    await rm(directory, { recursive: true, force: true });
  });
}
