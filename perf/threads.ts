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

const lookMs = 500;
const longestMs = 180_000;

/**
 * Waits until a process is done with what it has to do, such as making searchable what was stored: it would be measured
 * with what comes next. Returns the CPU time that it took meanwhile, in microseconds; 0 at once where there is no /proc.
 */
export async function settled(pid: number | null): Promise<number> {
  if (pid === null || cpuTimes(process.pid) === null) return 0;
  const usedUs = () => {
    const times = cpuTimes(pid);
    if (times === null) throw new Error(`The process ${pid} has ended.`);
    return times.allUs;
  };
  const startedUs = usedUs();
  const untilMs = Date.now() + longestMs;
  for (let beforeUs = startedUs; Date.now() < untilMs; ) {
    await new Promise(resolve => setTimeout(resolve, lookMs));
    const nowUs = usedUs();
    // One in a hundred of a processor.
    if (nowUs - beforeUs < lookMs * 10) return nowUs - startedUs;
    beforeUs = nowUs;
  }
  throw new Error(`The process ${pid} has not come to rest within ${longestMs / 1000} s.`);
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
