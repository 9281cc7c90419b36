import { statfs } from 'node:fs/promises';
import { CoachError } from '../../../protocol/errors.ts';
import { delay } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';

/** What must stay free: this share of the disk, but no more than that many bytes. */
const freeShare = 0.05;
const freeBytes = 5 * 1024 ** 3;
const lookEveryMs = 5000;
/** While trials run, this part of it must be left. */
const lastShare = 0.2;

type ReadDisk = (
  place: string,
) => Promise<{ readonly bavail: number; readonly blocks: number; readonly bsize: number }>;

/** Why no trial should start: the words for the first of these places whose disk is nearly full; null when none is. */
export async function diskShortage(
  places: readonly string[],
  read: ReadDisk = statfs,
  share = 1,
): Promise<string | null> {
  for (const place of places) {
    const disk = await read(place).catch(() => null);
    if (disk === null) continue;
    const free = disk.bavail * disk.bsize;
    if (free >= share * Math.min(freeBytes, freeShare * disk.blocks * disk.bsize)) continue;
    return `Only ${Math.floor(free / 1024 ** 2)} MiB are free on the disk with ${place}.`;
  }
  return null;
}

/** @throws CoachError `disk.full` before a run, when the disk is nearly full already */
export async function requireDiskSpace(places: readonly string[]): Promise<void> {
  const shortage = await diskShortage(places);
  if (shortage === null) return;
  throw new CoachError('disk.full', shortage, { hint: 'Free some space, then start the run again.' });
}

/** Waits until there is space for another trial, and says so once. */
export async function awaitDiskSpace(places: readonly string[], log: Log, signal: AbortSignal): Promise<void> {
  for (let told = false; !signal.aborted; told = true) {
    const shortage = await diskShortage(places);
    if (shortage === null) return;
    if (!told) log.warn(`${shortage} No trial starts until there is more.`);
    await delay(lookEveryMs, signal);
  }
}

/** Looks at the disk while trials run; aborts `signal` with `disk.full` when hardly anything is free any more. */
export class DiskGuard {
  readonly #full = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(places: readonly string[], read: ReadDisk = statfs, everyMs = lookEveryMs) {
    this.#timer = setInterval(() => {
      void diskShortage(places, read, lastShare).then(shortage => {
        if (shortage === null) return;
        const hint = 'Free some space, then go on with: codex-coach runs resume <run>';
        this.#full.abort(new CoachError('disk.full', shortage, { hint }));
        this.dispose();
      });
    }, everyMs);
  }

  get signal(): AbortSignal {
    return this.#full.signal;
  }

  dispose(): void {
    clearInterval(this.#timer);
  }
}
