import { statfs } from 'node:fs/promises';
import { CoachError } from '../../protocol/errors.ts';
import { delay } from '../base/clock.ts';
import type { Log } from '../base/log.ts';

/** What must stay free: this share of the disk, but no more than that many bytes. */
const freeShare = 0.05;
const freeBytes = 5 * 1024 ** 3;
const lookEveryMs = 5000;

type ReadDisk = (
  place: string,
) => Promise<{ readonly bavail: number; readonly blocks: number; readonly bsize: number }>;

/** Why no trial should start: the words for the first of these places whose disk is nearly full; null when none is. */
export async function diskShortage(places: readonly string[], read: ReadDisk = statfs): Promise<string | null> {
  for (const place of places) {
    const disk = await read(place).catch(() => null);
    if (disk === null) continue;
    const free = disk.bavail * disk.bsize;
    if (free >= Math.min(freeBytes, freeShare * disk.blocks * disk.bsize)) continue;
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
