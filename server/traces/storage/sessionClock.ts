import { randomBytes } from 'node:crypto';
import type { SleepLog } from '../../base/sleep.ts';

/** The session that a source was last recorded under, and when that ended (epoch ms). */
export interface LatestSession {
  readonly id: string;
  readonly lastMs: number;
}

export interface SessionClockDeps {
  /** What an earlier process recorded of this source; null for nothing. */
  readonly latest: (source: string) => LatestSession | null;
  readonly sleep: Pick<SleepLog, 'awakeMs'>;
}

/** An id that we gave. */
export const ownId = /^\d{8}T\d{6}-[0-9a-f]{8}$/;

/** Sessions of agents that name no conversation: one per source until it has been silent, and awake, for `idleMs`. */
export class SessionClock {
  readonly #idleMs: number;
  readonly #deps: SessionClockDeps;
  readonly #current = new Map<string, LatestSession>();

  constructor(idleMs: number, deps: SessionClockDeps) {
    this.#idleMs = idleMs;
    this.#deps = deps;
  }

  /** The session that an exchange from `startedMs` to `endedMs` (epoch) of this source belongs to. */
  at(source: string, startedMs: number, endedMs: number): string {
    const current = this.#current.get(source) ?? this.#earlier(source);
    const kept = current !== null && this.#deps.sleep.awakeMs(current.lastMs, startedMs) < this.#idleMs;
    const id = kept ? current.id : sessionIdAt(startedMs);
    // Exchanges are told of as they end: one that ends before the last did comes from a clock that was set back.
    this.#current.set(source, { id, lastMs: endedMs });
    return id;
  }

  #earlier(source: string): LatestSession | null {
    const latest = this.#deps.latest(source);
    return latest !== null && ownId.test(latest.id) ? latest : null;
  }
}

function sessionIdAt(epochMs: number): string {
  const time = new Date(epochMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `${time}-${randomBytes(4).toString('hex')}`;
}
