import type { CoachError } from '../../../protocol/errors.ts';
import type { Unreached } from '../../../protocol/proxy.ts';
import { toIso } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';

/** Hosts, and reasons that were logged, that are remembered at most; the latest stay. */
const maxHosts = 20;
const maxLogged = 200;
/** How long a failure is told when nobody has tried again, and how long one that goes on is not logged again. */
const toldMs = 3_600_000;

/** Model hosts that could not be reached when that was last tried, and why. */
export class UnreachedHosts {
  readonly #failures = new Map<string, Unreached>();

  /** Notes how a try went; `failure` is null for one that succeeded. Returns whether that is news. */
  tried(host: string, failure: CoachError | null): boolean {
    const known = this.#failures.get(host);
    this.#failures.delete(host);
    if (failure === null) return known !== undefined;
    const { message: reason, hint } = failure;
    this.#failures.set(host, { host, reason, hint, at: toIso(Date.now()) });
    dropOldest(this.#failures, maxHosts);
    return known?.reason !== reason;
  }

  /** The latest last. */
  list(): Unreached[] {
    const since = toIso(Date.now() - toldMs);
    return [...this.#failures.values()].filter(({ at }) => at >= since);
  }
}

/** What the proxy knows of the ways to model hosts. Logs each reason of a host once in an hour: agents try on and on. */
export class ModelReach {
  readonly #log: Log;
  readonly #hosts = new UnreachedHosts();
  readonly #logged = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** As of `UnreachedHosts`. */
  tried(host: string, failure: CoachError | null): boolean {
    if (failure !== null) this.#tell(host, failure);
    return this.#hosts.tried(host, failure);
  }

  list(): Unreached[] {
    return this.#hosts.list();
  }

  #tell(host: string, { message: reason, hint }: CoachError): void {
    const key = `${host} ${reason}`;
    if (Date.now() - (this.#logged.get(key) ?? 0) < toldMs) return;
    this.#logged.delete(key);
    this.#logged.set(key, Date.now());
    dropOldest(this.#logged, maxLogged);
    this.#log.warn('A model host could not be reached.', { host, reason, hint });
  }
}

function dropOldest<V>(map: Map<string, V>, size: number): void {
  const [oldest] = map.keys();
  if (map.size > size && oldest !== undefined) map.delete(oldest);
}
