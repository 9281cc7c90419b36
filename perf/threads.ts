import { readdirSync, readFileSync } from 'node:fs';

/** CPU time of a process in microseconds, by the kernel's own count. */
export interface CpuTimes {
  /** The thread that forwards: the process's first. */
  readonly mainUs: number;
  readonly allUs: number;
}

/** Null where there is no /proc. Threads that have ended are not counted: ours live as long as their process. */
export function cpuTimes(pid: number): CpuTimes | null {
  try {
    const byThread = readdirSync(`/proc/${pid}/task`).map(
      thread => [Number(thread), runUs(`/proc/${pid}/task/${thread}/schedstat`)] as const,
    );
    return {
      mainUs: byThread.find(([thread]) => thread === pid)?.[1] ?? 0,
      allUs: byThread.reduce((sum, [, us]) => sum + us, 0),
    };
  } catch {
    return null;
  }
}

/** Resident memory in bytes; null where there is no /proc. */
export function residentBytes(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}

/** A process that has just started, and its resident memory. */
export function standing(pid: number): { readonly pid: number; readonly idleBytes: number | null } {
  return { pid, idleBytes: residentBytes(pid) };
}

function runUs(file: string): number {
  return Number(readFileSync(file, 'utf8').split(' ')[0]) / 1000;
}
