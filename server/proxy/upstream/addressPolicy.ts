import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { CoachError } from '../../../protocol/errors.ts';
import { type HostPattern, hostEntries, hostPattern } from '../hostPatterns.ts';
import { literalAddress, reservedKind } from './addresses.ts';

/** Ports of a CONNECT that shows no launch's token: web and ssh. Others are what open relays are abused for. */
const openPorts: ReadonlySet<number> = new Set([22, 80, 443]);

/**
 * Where traffic that is not for a model host may go. The proxy would otherwise lend this machine's place in its
 * network to whoever reaches it: to a cloud's credentials, to databases on loopback, to a router's page.
 */
export class AddressPolicy {
  readonly #allowed: readonly HostPattern[];
  readonly #resolve: typeof lookup;

  constructor(allowed: readonly HostPattern[], resolve = lookup) {
    this.#allowed = allowed;
    this.#resolve = resolve;
  }

  /** @throws CoachError `proxy.refused` for a port that only launches may use */
  checkPort(host: string, port: number): void {
    if (openPorts.has(port) || this.#allows(host, port)) return;
    const entry = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
    throw refused(`Port ${port} is open to agents started through Codex Coach only.`, entry);
  }

  /** Checks a host without looking it up. @throws CoachError `proxy.refused` */
  checkName(host: string, port: number): void {
    const address = literalAddress(host);
    if (address !== null) this.checkAddress(host, port, address);
  }

  /** @throws CoachError `proxy.refused` when `address`, which `host` stands for, is not public and not allowed */
  checkAddress(host: string, port: number, address: string): void {
    const kind = reservedKind(address);
    if (kind === null || this.#allows(host, port, address)) return;
    const what = host === address ? `${host} is a ${kind} address` : `${host} is ${address}, a ${kind} address`;
    throw refused(`${what}: the proxy does not lead there.`, host);
  }

  /** Looks up for `connect` and leaves what may not be reached: what was checked is what is connected to. */
  lookupFor(port: number): LookupFunction {
    return (host: string, options: LookupOptions, done) => {
      this.#resolve(host, { ...options, all: true }, (error, found) => {
        if (error !== null) return done(error, []);
        let reason: unknown = null;
        const open = found.filter(({ address }) => {
          try {
            this.checkAddress(host, port, address);
            return true;
          } catch (refusal) {
            reason = refusal;
            return false;
          }
        });
        const [first] = open as [LookupAddress?];
        if (first === undefined) done(reason as NodeJS.ErrnoException, []);
        else if (options.all === true) done(null, open);
        else done(null, first.address, first.family);
      });
    };
  }

  #allows(host: string, port: number, address?: string): boolean {
    return this.#allowed.some(covers => covers({ host, port, ...(address === undefined ? {} : { address }) }));
  }
}

/** The policy of the setting `proxy.allowPrivate`. @throws CoachError `input.invalid` naming the entry */
export function toAddressPolicy(setting: string): AddressPolicy {
  const allowed = hostEntries(setting).map(entry => {
    const pattern = hostPattern(entry);
    if (pattern !== null) return pattern;
    throw new CoachError('input.invalid', `"${entry}" in COACH_ALLOW_PRIVATE is no host, host:port or CIDR range.`, {
      hint: 'Write it like git.corp.example,10.0.0.0/8,localhost:3000',
    });
  });
  return new AddressPolicy(allowed);
}

function refused(message: string, entry: string): CoachError {
  return new CoachError('proxy.refused', message, {
    hint: `To allow it, add ${entry} to the setting proxy.allowPrivate (COACH_ALLOW_PRIVATE).`,
  });
}
