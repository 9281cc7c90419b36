import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Disposable } from './disposable.ts';
import { openInMemory } from './sqlite.ts';

/** How often it is looked whether the process rests, and which share of a processor it may take then. */
const lookMs = 10_000;
const restingShare = 0.01;
/** Looks until a rest counts as one: what has just run would have to be compiled again. */
const looksBefore = 6;
/** So often in one rest: V8 lets go of the pages of a thread that has ended some seconds later. */
const timesPerRest = 6;

/** Gives memory that this process no longer uses back to the system, whenever it has come to rest after work. */
export function giveBackAtRest(isBusy: () => boolean, giveBack = giveBackFreed): Disposable {
  let before = process.cpuUsage();
  let looks = 0;
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    const rests = !isBusy() && user + system < restingShare * lookMs * 1000;
    looks = rests ? looks + 1 : 0;
    if (looks > looksBefore && looks <= looksBefore + timesPerRest) giveBack();
    before = process.cpuUsage();
  }, lookMs).unref();
  return { dispose: () => clearInterval(timer) };
}

/** Takes up to a tenth of a second, in which nothing else happens. */
export function giveBackFreed(): void {
  collect ??= collector();
  collect();
  trimHeap();
}

let collect: (() => void) | null = null;

/** V8's collection of everything that it can do without. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('globalThis.gc') as ((how: object) => void) | undefined;
  return () => gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/**
 * glibc keeps what was freed between blocks that are still in use, 100 MB after a busy hour, until `malloc_trim` is
 * called. JavaScript can't call it, but SQLite can: it loads a library and calls what it is told to as its entry. That
 * fails afterwards, as it is no extension, and at once where there is no glibc. (docs/decisions/0034-memory-at-rest.md)
 */
function trimHeap(): void {
  if (process.platform !== 'linux') return;
  const database = openInMemory();
  // Its types lack the second parameter.
  const load: (file: string, entry: string) => unknown = database.loadExtension.bind(database);
  try {
    load('libc.so.6', 'malloc_trim');
  } catch {
    // Whatever it answers: the memory is back, or stays.
  } finally {
    database.close();
  }
}
