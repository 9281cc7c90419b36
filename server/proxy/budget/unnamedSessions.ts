import type { SleepLog } from '../../base/sleep.ts';
import { ownId } from '../../traces/storage/sessionClock.ts';

/** Senders that are remembered; the latest stay. */
const maxSenders = 1000;

/**
 * Which session the next request of a sender belongs to when it names none: what `SessionClock` will say when it is
 * recorded, but for the first after a silence, which may go on with the session before. A sender is a launch, or else a
 * program by its user agent, or else the host that it asks.
 */
export class UnnamedSessions {
  readonly #idleMs: number;
  readonly #sleep: Pick<SleepLog, 'awakeMs'>;
  readonly #latest = new Map<string, { readonly id: string; readonly lastMs: number }>();

  /** `idleMs`: after such a silence another session begins. */
  constructor(idleMs: number, sleep: Pick<SleepLog, 'awakeMs'>) {
    this.#idleMs = idleMs;
    this.#sleep = sleep;
  }

  /** An exchange that ended at `endedMs` (epoch) was recorded under this session. */
  heard(sessionId: string, endedMs: number, sender: () => string | null): void {
    if (!ownId.test(sessionId)) return;
    const key = sender();
    if (key === null) return;
    this.#latest.delete(key);
    this.#latest.set(key, { id: sessionId, lastMs: endedMs });
    const [oldest] = this.#latest.keys();
    if (this.#latest.size > maxSenders && oldest !== undefined) this.#latest.delete(oldest);
  }

  /** Null when the request begins another session. */
  of(sender: string): string | null {
    const latest = this.#latest.get(sender);
    const goesOn = latest !== undefined && this.#sleep.awakeMs(latest.lastMs, Date.now()) < this.#idleMs;
    return goesOn ? latest.id : null;
  }
}
