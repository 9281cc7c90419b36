import { readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';

/**
 * Lets every other thread go before this one when the machine is busy. On Linux a thread has a priority of its own;
 * elsewhere nothing happens, as only the whole process could be slowed.
 */
export function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    const { PRIORITY_BELOW_NORMAL: less, PRIORITY_LOW: lowest } = constants.priority;
    setPriority(thread, Math.min(getPriority(thread) + less, lowest));
  } catch {
    // Not allowed, or no /proc: it works all the same, only less politely.
  }
}
