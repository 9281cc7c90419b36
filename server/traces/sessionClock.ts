import { randomBytes } from 'node:crypto';

/** Sessions of agents that name no conversation: one per source until it has been silent for `idleMs`. */
export class SessionClock {
  readonly #idleMs: number;
  readonly #current = new Map<string, { id: string; lastMs: number }>();

  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  /** The session that an exchange from `startedMs` to `endedMs` (epoch) of this source belongs to. */
  at(source: string, startedMs: number, endedMs: number): string {
    const current = this.#current.get(source);
    const kept = current !== undefined && startedMs - current.lastMs < this.#idleMs;
    const id = kept ? current.id : sessionIdAt(startedMs);
    this.#current.set(source, { id, lastMs: Math.max(endedMs, kept ? current.lastMs : 0) });
    return id;
  }
}

function sessionIdAt(epochMs: number): string {
  const time = new Date(epochMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `${time}-${randomBytes(4).toString('hex')}`;
}
