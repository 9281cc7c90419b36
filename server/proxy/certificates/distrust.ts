import type { Distrust } from '../../../protocol/proxy.ts';
import type { Log } from '../../base/log.ts';

/** Programs that are remembered at most, of each kind. */
const maxPrograms = 50;
const maxNameLength = 80;

/** A program closed when it had seen our certificate, or sent something over it. */
export type TrustSign = 'refuses' | 'trusts';

/** Programs that give up intercepted connections over our certificate. Who has once sent something is none of them. */
export class DistrustingPrograms {
  readonly #log: Log;
  readonly #bundleFile: string;
  readonly #distrusting = new Map<string, Distrust>();
  readonly #trusting = new Set<string>();

  constructor(log: Log, bundleFile: string) {
    this.#log = log;
    this.#bundleFile = bundleFile;
  }

  /** Logged once per host and program. Returns whether the list has changed. */
  notice(host: string, name: string, sign: TrustSign): boolean {
    const program = name.slice(0, maxNameLength);
    const key = `${host} ${program}`;
    if (sign === 'trusts') {
      if (this.#trusting.size < maxPrograms) this.#trusting.add(key);
      return this.#distrusting.delete(key);
    }
    // It may keep connections in reserve.
    if (this.#trusting.has(key)) return false;
    const known = this.#distrusting.get(key);
    if (known === undefined && this.#distrusting.size >= maxPrograms) return false;
    this.#distrusting.set(key, { host, program, connections: (known?.connections ?? 0) + 1 });
    if (known === undefined) {
      const hint = `Start it with codex-coach, or set NODE_EXTRA_CA_CERTS and SSL_CERT_FILE to ${this.#bundleFile} for it.`;
      this.#log.warn('A program does not trust our certificate, so that it reaches no model.', { host, program, hint });
    }
    return true;
  }

  list(): Distrust[] {
    return [...this.#distrusting.values()];
  }
}
