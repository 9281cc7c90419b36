import { readFileSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** Makes a directory of ours (0700) that a sweep removes once this process is gone, however it ended. */
export async function makeScratch(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, ownerFile), JSON.stringify(currentOwner()));
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
  const directory = await mkdtemp(join(tmpdir(), `coach-${name}-`));
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
    const owner = await readScratchOwner(directory);
    if (owner !== null && !ownerLives(owner)) abandoned.push(directory);
  }
  return abandoned;
}
