import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, isIP, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer, type TLSSocket } from 'node:tls';
import { type TestAuthority, testAuthority } from '../fakes/upstreamCertificate.ts';
import type { Check, ProxyUnderTest, Route } from './underTest.ts';
import { Wire } from './wire.ts';

export interface OriginPlace {
  readonly address: '127.0.0.1' | '::1';
  readonly port: number;
}

export interface Origin extends OriginPlace {
  /** Connections of the proxy, oldest first. */
  readonly wires: readonly Wire[];
  /** Protocols that the proxy offered by ALPN, once per connection. */
  readonly offered: readonly (readonly string[])[];
  /** Resets all its connections (TCP RST). */
  reset(): void;
}

export interface OriginOptions {
  readonly address?: '127.0.0.1' | '::1';
  readonly certificate?: 'good' | 'expired' | 'unknownAuthority' | 'wrongName';
  /** The origin reads nothing until its `serve` does. */
  readonly reading?: boolean;
}

/** Authorities of origins. One for all checks, because some proxies learn only at their start whom to trust. */
export interface Authorities {
  /** PEM file of what a proxy must trust. */
  readonly caFile: string;
  issue(kind: Required<OriginOptions>['certificate']): { key: string; cert: string };
  dispose(): void;
}

const names = ['localhost', '127.0.0.1', '::1', 'api.openai.com'];

export function openAuthorities(): Authorities {
  const trusted = testAuthority();
  const expired = testAuthority(-0.5);
  const unknown = testAuthority();
  const directory = mkdtempSync(join(tmpdir(), 'coach-conformance-'));
  const caFile = join(directory, 'ca.pem');
  const pem = ({ caFile: file }: TestAuthority) => readFileSync(file, 'utf8');
  writeFileSync(caFile, pem(trusted) + pem(expired));
  const issued = {
    good: trusted.issue(...names),
    expired: expired.issue(...names),
    unknownAuthority: unknown.issue(...names),
    wrongName: trusted.issue('elsewhere.test'),
  };
  return {
    caFile,
    issue: kind => issued[kind],
    dispose() {
      for (const authority of [trusted, expired, unknown]) authority.dispose();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** What a check works with; everything that it opened is closed after it. */
export class Bench {
  readonly proxy: ProxyUnderTest;
  readonly #authorities: Authorities;
  readonly #closing: (() => void)[] = [];

  constructor(proxy: ProxyUnderTest, authorities: Authorities) {
    this.proxy = proxy;
    this.#authorities = authorities;
  }

  /** A TLS server whose bytes are all ours; `serve` is called for each connection. */
  async origin(serve: (wire: Wire) => void | Promise<void>, options: OriginOptions = {}): Promise<Origin> {
    const { address = '127.0.0.1', certificate = 'good', reading = true } = options;
    const wires: Wire[] = [];
    const offered: string[][] = [];
    const raw = new Set<Socket>();
    const server = createServer({
      ...this.#authorities.issue(certificate),
      noDelay: true,
      ALPNCallback({ protocols }) {
        offered.push(protocols);
        return protocols.includes('http/1.1') ? 'http/1.1' : undefined;
      },
    });
    server.on('connection', socket => raw.add(socket));
    const reset = () => {
      for (const socket of raw) socket.resetAndDestroy();
    };
    server.on('tlsClientError', () => undefined);
    server.on('secureConnection', socket => {
      const wire = new Wire(socket, reading);
      wires.push(wire);
      void Promise.resolve(serve(wire)).catch(() => wire.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, address, resolve);
    });
    this.#closing.push(() => {
      for (const socket of raw) socket.destroy();
      server.close();
    });
    return { address, port: (server.address() as AddressInfo).port, wires, offered, reset };
  }

  /** A client's TLS connection to an origin, through the proxy. */
  async client(origin: OriginPlace, alpn: readonly string[] = ['http/1.1'], reading = true): Promise<Wire> {
    return this.secure(await this.proxy.route(origin, 'usual'), alpn, reading);
  }

  async secure(route: Route, alpn: readonly string[] = ['http/1.1'], reading = true): Promise<Wire> {
    const tunnel = await this.tunnel(route);
    const { host, caPem } = route;
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const secure: TLSSocket = connectTls({ socket: tunnel, host, ...servername, ca: caPem, ALPNProtocols: [...alpn] });
    await new Promise<void>((resolve, reject) => {
      secure.once('secureConnect', resolve);
      secure.once('error', reject);
      secure.once('close', () => reject(new Error('The proxy closed the connection in the handshake.')));
    });
    const wire = new Wire(secure, reading);
    wire.host = route.hostPort === 443 ? host : authorityOf(route);
    return wire;
  }

  /** The tunnel that the proxy opened. `cut`: the request is sent in pieces of one byte. @throws with its answer */
  async tunnel(route: Route, cut = false): Promise<Socket> {
    const socket = connect({ port: route.port, host: '127.0.0.1', noDelay: true });
    this.#closing.push(() => socket.destroy());
    const target = authorityOf(route);
    const credentials = route.authorization === null ? '' : `Proxy-Authorization: ${route.authorization}\r\n`;
    const head = `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${credentials}\r\n`;
    const wire = new Wire(socket);
    for (const piece of cut ? head : [head]) {
      wire.write(piece);
      if (cut) await new Promise(resolve => setImmediate(resolve));
    }
    await wire.until('\r\n\r\n');
    if (!/^HTTP\/1\.[01] 200 /.test(wire.received)) throw new Error(await wire.whole());
    socket.removeAllListeners('data');
    socket.removeAllListeners('end');
    return socket;
  }

  dispose(): void {
    for (const close of this.#closing.reverse()) close();
  }
}

function authorityOf({ host, hostPort }: Route): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${hostPort}`;
}

/** Runs one check; null when it holds, else why not. */
export async function runCheck(check: Check, proxy: ProxyUnderTest, authorities: Authorities): Promise<Error | null> {
  const bench = new Bench(proxy, authorities);
  try {
    await check.run(bench);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    bench.dispose();
  }
}
