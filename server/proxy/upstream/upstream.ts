import { randomBytes } from 'node:crypto';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CoachError } from '../../../protocol/errors.ts';
import type { UpstreamOverride } from '../../../protocol/proxy.ts';
import { type HttpHead, headerOf } from '../../traces/wire/httpHead.ts';
import { upstreamContext } from '../certificates/roots.ts';
import type { Place } from '../hostPatterns.ts';
import type { AddressPolicy } from './addressPolicy.ts';
import { connectFailure } from './connectFailure.ts';
import { openTunnel } from './tunnel.ts';
import { authorityOf, type UpstreamProxy, upstreamProxyOf } from './upstreamProxy.ts';

const connectTimeoutMs = 30_000;
/** A model may think in silence for minutes: the kernel finds out about a peer that is gone. */
const keepAliveMs = 30_000;

export interface Destination extends Place {
  readonly scheme: 'https' | 'http';
  /** Where it goes instead; the agent and the trace do not notice. */
  readonly override: UpstreamOverride | null;
}

export interface UpstreamDeps {
  readonly env: NodeJS.ProcessEnv;
  readonly policy: AddressPolicy;
  /** Port of the proxy's own listener. */
  readonly ownPort: () => number | null;
}

/** A connection to where plain HTTP goes, and the outer proxy that expects whole URLs and its credentials on it. */
export interface PlainUpstream {
  readonly socket: Socket;
  readonly proxy: UpstreamProxy | null;
}

/** Opens connections to the outside: straight, or through the proxy that this machine's environment names. */
export class Upstreams {
  readonly #deps: UpstreamDeps;
  /** Marks what we send to another proxy; when it comes back to us, the way is a circle. */
  readonly #mark = `1.1 codex-coach-${randomBytes(8).toString('hex')}`;

  constructor(deps: UpstreamDeps) {
    this.#deps = deps;
  }

  /** Whether a request has been here before. */
  isOwn(head: HttpHead): boolean {
    return (headerOf(head, 'via') ?? '').includes(this.#mark);
  }

  /**
   * Connects to a model host or to its override: verified TLS with HTTP/1.1 only, or plain where the address says so.
   * Both are configured places, so that private addresses are no question here.
   * @throws CoachError `proxy.upstream` with the reason
   */
  toModel({ scheme, host, port, override }: Destination): Promise<Socket> {
    if (override === null) return this.#connect({ host, port }, scheme === 'https' ? { caFile: undefined } : null);
    const target = new URL(override.target);
    const secure = target.protocol === 'https:';
    const place = {
      host: target.hostname.replace(/^\[|\]$/g, ''),
      port: Number(target.port) || (secure ? 443 : 80),
    };
    return this.#connect(place, secure ? { caFile: override.caFile } : null);
  }

  /** Connects for a tunnel that passes blind. @throws CoachError `proxy.upstream`, `proxy.refused` */
  async blind(place: Place): Promise<Socket> {
    const proxy = this.#proxyOf('https', place);
    this.#deps.policy.checkName(place.host, place.port);
    return proxy === null ? this.#open(place, halfOpen, this.#lookup(place)) : this.#tunnel(proxy, place, halfOpen);
  }

  /** Connects for plain HTTP that passes blind. @throws CoachError `proxy.upstream`, `proxy.refused` */
  async plain(place: Place): Promise<PlainUpstream> {
    const proxy = this.#proxyOf('http', place);
    this.#deps.policy.checkName(place.host, place.port);
    const socket = proxy === null ? await this.#open(place, {}, this.#lookup(place)) : await this.#openProxy(proxy, {});
    return { socket, proxy };
  }

  /** The header with which another proxy, or we ourselves, can see a circle. */
  get via(): readonly [string, string] {
    return ['Via', this.#mark];
  }

  async #connect(place: Place, tls: { readonly caFile: string | undefined } | null): Promise<Socket> {
    const proxy = this.#proxyOf(tls === null ? 'http' : 'https', place);
    const socket = proxy === null ? null : await this.#tunnel(proxy, place, {});
    if (tls === null) return socket ?? this.#open(place, {}, {});
    return this.#secure(place, tls.caFile, {}, socket);
  }

  #proxyOf(scheme: 'https' | 'http', place: Place): UpstreamProxy | null {
    return upstreamProxyOf(scheme, place, this.#deps.env, this.#deps.ownPort());
  }

  async #tunnel(proxy: UpstreamProxy, place: Place, kind: SocketKind): Promise<Socket> {
    return openTunnel(await this.#openProxy(proxy, kind), proxy, place, this.via, connectTimeoutMs);
  }

  #openProxy(proxy: UpstreamProxy, kind: SocketKind): Promise<Socket> {
    const name = `the proxy ${authorityOf(proxy)} (${proxy.variable})`;
    return proxy.secure ? this.#secure(proxy, undefined, kind, null, name) : this.#open(proxy, kind, {}, name);
  }

  /** Keeps the connection from addresses where other traffic must not go. */
  #lookup({ port }: Place): { lookup: LookupFunction } {
    return { lookup: this.#deps.policy.lookupFor(port) };
  }

  #open(
    { host, port }: Place,
    kind: SocketKind,
    lookup: { lookup?: LookupFunction },
    name = authorityOf({ host, port }),
  ): Promise<Socket> {
    return ready(connectTcp({ host, port, ...socketOptions, ...kind, ...lookup }), 'connect', name);
  }

  #secure(
    { host, port }: Place,
    caFile: string | undefined,
    kind: SocketKind,
    tunnel: Socket | null,
    name = authorityOf({ host, port }),
  ): Promise<Socket> {
    const secure = connectTls({
      ...(tunnel === null ? { host, port, ...socketOptions, ...kind } : { socket: tunnel, host }),
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ALPNProtocols: ['http/1.1'],
      secureContext: upstreamContext(this.#deps.env, caFile),
    });
    return ready(secure, 'secureConnect', name);
  }
}

/** A tunnel that passes blind stays open in one direction when the other has ended. */
const halfOpen = { allowHalfOpen: true };
type SocketKind = Partial<typeof halfOpen>;

const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs };

function ready(socket: Socket, event: 'connect' | 'secureConnect', name: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      socket.destroy();
      if (error instanceof CoachError) return reject(error);
      reject(connectFailure(name, error));
    };
    socket.setTimeout(connectTimeoutMs, () => fail(new Error(`no answer within ${connectTimeoutMs / 1000} s`)));
    socket.once('error', fail);
    socket.once(event, () => {
      socket.setTimeout(0);
      socket.removeListener('error', fail);
      resolve(socket);
    });
  });
}
