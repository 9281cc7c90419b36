import { CoachError } from '../../protocol/errors.ts';

/** First look after this long; each next one after as long at least, and twenty times as long as a look takes. */
const lookAfterMs = 1000;
const lookShare = 20;

export interface DiskLimit {
  readonly limitBytes: number;
  /** What the sandbox takes of the disk now; null when that can't be told just then. */
  usedBytes(signal: AbortSignal): Promise<number | null>;
}

/**
 * Runs a command that is ended once its sandbox takes more of the disk than it may. What it wrote since the last look is
 * not held up, so the limit can be passed by what a disk takes in about a second.
 * @throws CoachError `sandbox.diskSpent`
 */
export async function withinDisk<T>(
  { limitBytes, usedBytes }: DiskLimit,
  run: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const full = new AbortController();
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    const startedAt = performance.now();
    const used = await usedBytes(ended.signal).catch(() => null);
    if (ended.signal.aborted) return;
    if (used !== null && used > limitBytes) full.abort(diskSpent(limitBytes));
    else lookAgain(Math.max(lookAfterMs, (performance.now() - startedAt) * lookShare));
  };
  const lookAgain = (ms: number) => {
    timer = setTimeout(() => void look(), ms);
  };
  lookAgain(lookAfterMs);
  try {
    return await run(AbortSignal.any([signal, full.signal]));
  } finally {
    clearTimeout(timer);
    ended.abort();
  }
}

function diskSpent(limitBytes: number): CoachError {
  return new CoachError('sandbox.diskSpent', `The sandbox takes more than ${limitBytes / 1024 ** 2} MiB of the disk.`, {
    hint: 'Look at what it wrote; caches and build output belong outside the repository.',
  });
}

/** The sum of the sizes in `du -sk`, in bytes; null when there is none. */
export function readDu(output: string): number | null {
  const sizes = [...output.matchAll(/^(\d+)\s/gm)].map(([, size]) => Number(size));
  return sizes.length === 0 ? null : sizes.reduce((sum, size) => sum + size, 0) * 1024;
}
