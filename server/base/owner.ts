import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isAlive } from './exec.ts';

/** Who made a sandbox or a scratch directory. The start time tells a process from a later one that got the same number. */
export interface Owner {
  readonly pid: number;
  readonly startTime: string;
}

export function currentOwner(): Owner {
  return { pid: process.pid, startTime: startTimeOf(process.pid) };
}

/** Whether the process that made something still runs; only then is it in use. */
export function ownerLives({ pid, startTime }: Owner): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return false;
  return startTime === '' || startTimeOf(pid) === startTime;
}

/** Field 22 of /proc/<pid>/stat (proc(5)), in clock ticks since boot; empty where there is no /proc. */
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold spaces.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** In each scratch directory: who made it. */
const ownerFile = 'owner.json';

/** Prefixes of scratch directories that are not whole: half made by the process in the name, or half removed. */
const unborn = 'coach-new-';
const gone = 'coach-gone-';

/**
 * Makes a directory of ours (0700) that a sweep removes once this process is gone, however it ended; takes over one that is
 * there. At no moment is there one of this name that does not say whose it is.
 */
export async function makeScratch(directory: string): Promise<void> {
  const parent = dirname(directory);
  const { pid, startTime } = currentOwner();
  const made = join(parent, `${unborn}${pid}-${startTime}-${randomBytes(4).toString('hex')}`);
  await mkdir(made, { recursive: true, mode: 0o700 });
  const file = join(made, ownerFile);
  await writeFile(file, JSON.stringify({ pid, startTime }));
  const isThere = await lstat(directory).then(
    stat => stat.isDirectory(),
    () => false,
  );
  if (!isThere) return rename(made, directory);
  await rename(file, join(directory, ownerFile));
  await rm(made, { recursive: true, force: true });
}

/**
 * Gives a scratch directory the name of one that nobody uses, so that a sweep finds it if its removal is cut short.
 * @returns its path from now on; null when it is gone
 */
export async function retireScratch(directory: string): Promise<string | null> {
  const path = join(dirname(directory), `${gone}${randomBytes(8).toString('hex')}`);
  try {
    await rename(directory, path);
    return path;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Removes a scratch directory with what we put into it; one that is gone is fine. */
export async function removeScratch(directory: string): Promise<void> {
  const retired = await retireScratch(directory);
  if (retired !== null) await rm(retired, { recursive: true, force: true });
}

/** Whether the process that made a scratch directory, or took it over with `makeScratch`, lives; null without one. */
export async function scratchOwnerLives(directory: string): Promise<boolean | null> {
  const owner = await readScratchOwner(directory);
  return owner === null ? null : ownerLives(owner);
}

function readScratchOwner(directory: string): Promise<Owner | null> {
  return readFile(join(directory, ownerFile), 'utf8')
    .then(text => JSON.parse(text) as Owner)
    .catch(() => null);
}

/** `makeScratch` below the system's temporary directory, with a name of its own that begins with `coach-`. */
export async function temporaryScratch(name: string): Promise<string> {
  const directory = join(tmpdir(), `coach-${name}-${randomBytes(8).toString('hex')}`);
  await makeScratch(directory);
  return directory;
}

/** Scratch directories in `parent` whose maker is gone. Those of other users are left alone. */
export async function abandonedScratches(parent: string): Promise<string[]> {
  const abandoned: string[] = [];
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith('coach-')) continue;
    const directory = join(parent, name);
    const stat = await lstat(directory).catch(() => null);
    if (!stat?.isDirectory() || (process.getuid !== undefined && stat.uid !== process.getuid())) continue;
    const owner = name.startsWith(gone) ? nobody : (unbornOwner(name) ?? (await readScratchOwner(directory)));
    if (owner !== null && !ownerLives(owner)) abandoned.push(directory);
  }
  return abandoned;
}

const nobody: Owner = { pid: 0, startTime: '' };

/** Who was making a directory that is not whole yet. */
function unbornOwner(name: string): Owner | null {
  const [pid, startTime] = name.startsWith(unborn) ? name.slice(unborn.length).split('-') : [];
  return pid === undefined ? null : { pid: Number(pid), startTime: startTime ?? '' };
}
