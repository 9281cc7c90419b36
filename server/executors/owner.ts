import { readFileSync } from 'node:fs';
import { isAlive } from '../base/exec.ts';

/** Who started a sandbox. The start time tells a process from a later one that got the same number. */
export interface Owner {
  readonly pid: number;
  readonly startTime: string;
}

export function currentOwner(): Owner {
  return { pid: process.pid, startTime: startTimeOf(process.pid) };
}

/** Whether the process that started a sandbox still runs; only then is the sandbox in use. */
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
