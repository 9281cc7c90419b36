import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Log } from '../base/log.ts';
import type { Recorder, Tap } from '../traces/recorder.ts';
import { type HttpHead, HttpSyntaxError, headerOf } from '../traces/wire/httpHead.ts';
import type { Authority } from './authority.ts';
import { readdressed, withKey } from './credentials.ts';
import { answerError, answerJson, type FirstRequest, readFirstRequest } from './frontDoor.ts';
import { canonicalHost, parseAuthority } from './hosts.ts';
import type { LaunchRegistry, LaunchState } from './launches.ts';
import { RequestRewriter } from './requestRewriter.ts';
import { join, splice } from './splice.ts';
import { connectBlind, connectUpstream, type Destination } from './upstream.ts';

export interface ConnectionDeps {
  readonly authority: Authority;
  readonly intercepted: ReadonlySet<string>;
  readonly launches: LaunchRegistry;
  readonly recorder: Recorder;
  readonly log: Log;
  readonly env: NodeJS.ProcessEnv;
  /** Port of the TCP listener, for the Host check. */
  readonly port: () => number | null;
  /** An intercepted connection was opened; called again with -1 when it is closed. */
  readonly count: (change: 1 | -1) => void;
}

const loopbackNames: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Serves one accepted connection. `own` is the launch whose Unix socket it came through: it needs no token, and the
 * port in its Host header is one inside a sandbox.
 */
export async function serveConnection(socket: Socket, own: LaunchState | null, deps: ConnectionDeps): Promise<void> {
  socket.on('error', () => socket.destroy());
  socket.setNoDelay(true);
  own?.hold(socket);
  try {
    const first = await readFirstRequest(socket);
    if (first === null) socket.destroy();
    else if (first.head.startLine[0] === 'CONNECT') await serveConnect(socket, first, own, deps);
    else await servePlain(socket, first, own, deps);
  } catch (error) {
    if (error instanceof HttpSyntaxError) answerError(socket, 400, error.message);
    else {
      deps.log.error('A proxy connection failed.', { error });
      socket.destroy();
    }
  }
}

async function serveConnect(socket: Socket, first: FirstRequest, own: LaunchState | null, deps: ConnectionDeps) {
  const target = parseAuthority(first.head.startLine[1]);
  if (target === null) return answerError(socket, 400, 'CONNECT needs host:port.');
  const token = proxyToken(first.head);
  const launch = own ?? (token === null ? null : deps.launches.withToken(token));
  if (launch === null && token !== null) {
    return answerError(socket, 407, 'This launch has ended.', 'proxy-authenticate: Basic realm="codex-coach"\r\n');
  }
  if (own === null) launch?.hold(socket);
  const { host, port } = target;
  if (launch !== null && launch.spec.trialId !== null && !(launch.apiHosts.has(host) && port === 443)) {
    deps.recorder.deny(launch.origin, host, port, 'not a host of the agent’s model API');
    return answerError(socket, 403, `${host}:${port} can't be reached from this sandbox.`);
  }
  const override = launch?.overrideOf(host) ?? null;
  if (port === 443 && (deps.intercepted.has(host) || override !== null)) {
    return intercept(socket, first.rest, { host, port, override }, launch, deps);
  }
  const upstream = await connectBlind(host, port).catch((error: Error) => error);
  if (upstream instanceof Error) return answerError(socket, 502, upstream.message);
  launch?.hold(upstream);
  socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  if (first.rest.length > 0) upstream.write(first.rest);
  join(socket, upstream);
}

/** Ends TLS on both legs. The upstream comes first: when it can't be reached the agent still hears why. */
async function intercept(
  socket: Socket,
  rest: Buffer,
  destination: Destination,
  launch: LaunchState | null,
  deps: ConnectionDeps,
) {
  const upstream = await connectUpstream(destination, deps.env).catch((error: Error) => error);
  if (upstream instanceof Error) return answerError(socket, 502, upstream.message);
  if (socket.destroyed) return upstream.destroy();
  socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  if (rest.length > 0) socket.unshift(rest);
  const client = new TLSSocket(socket, {
    isServer: true,
    secureContext: deps.authority.contextFor(destination.host),
    ALPNProtocols: ['http/1.1'],
  });
  const { host } = destination;
  const key = launch?.spec.realKey ?? null;
  const mayHaveKey = launch !== null && key !== null && host === canonicalHost(launch.spec.defaultHost);
  const rewriter = mayHaveKey ? new RequestRewriter(head => withKey(head, key, host)) : null;
  const tap = openTap(socket, { ...destination, scheme: 'https' }, launch, deps);
  launch?.hold(upstream);
  splice(client, upstream, tap, rewriter);
}

async function servePlain(socket: Socket, first: FirstRequest, own: LaunchState | null, deps: ConnectionDeps) {
  const [, target] = first.head.startLine;
  if (!target.startsWith('/')) {
    return answerError(socket, 403, 'This proxy takes CONNECT only: set HTTPS_PROXY, not HTTP_PROXY.');
  }
  if (!isOurs(headerOf(first.head, 'host'), own === null ? deps.port() : null)) {
    return answerError(socket, 403, 'Unknown Host.');
  }
  if (own === null && target === '/health') return answerJson(socket, 200, { product: 'codex-coach', status: 'ok' });
  const launch = own ?? deps.launches.withToken(target.split('/')[1] ?? '');
  if (launch === null) return answerError(socket, 401, 'Unknown launch: this address was not given by Codex Coach.');
  if (own === null) launch.hold(socket);
  await routeByBaseUrl(socket, first, launch, own === null ? `/${launch.token}` : '', deps);
}

async function routeByBaseUrl(
  socket: Socket,
  first: FirstRequest,
  launch: LaunchState,
  prefix: string,
  deps: ConnectionDeps,
) {
  const host = canonicalHost(launch.spec.defaultHost);
  const override = launch.overrideOf(host);
  const upstream = await connectUpstream({ host, port: 443, override }, deps.env).catch((error: Error) => error);
  if (upstream instanceof Error) return answerError(socket, 502, upstream.message);
  if (socket.destroyed) return upstream.destroy();
  const key = launch.spec.realKey;
  const rewriter = new RequestRewriter(head => {
    const [, target] = head.startLine;
    if (!target.startsWith(`${prefix}/`)) throw new HttpSyntaxError('Another launch on the same connection.');
    const there = readdressed(head, target.slice(prefix.length), host);
    return key === null ? there : withKey(there, key, host);
  });
  const tap = openTap(socket, { host, port: 443, scheme: 'https' }, launch, deps);
  launch.hold(upstream);
  splice(socket, upstream, tap, rewriter);
  // Read again from the start, through the rewriter.
  socket.unshift(first.bytes);
  socket.resume();
}

function openTap(
  socket: Socket,
  place: { host: string; port: number; scheme: 'https' },
  launch: LaunchState | null,
  deps: ConnectionDeps,
): Tap {
  deps.count(1);
  socket.once('close', () => deps.count(-1));
  const { host, port, scheme } = place;
  return deps.recorder.tap({ host, port, scheme, launch: launch?.origin ?? null });
}

/** `coach:<token>` of the proxy's address, as every client sends it with CONNECT. */
function proxyToken(head: HttpHead): string | null {
  const encoded = /^Basic\s+([A-Za-z0-9+/=]+)$/i.exec(headerOf(head, 'proxy-authorization') ?? '')?.[1];
  if (encoded === undefined) return null;
  const [, token] = /^coach:(.+)$/.exec(Buffer.from(encoded, 'base64').toString('latin1')) ?? [];
  return token ?? null;
}

/** Names under which a browser page of another site cannot reach us (DNS rebinding). `port` null: any. */
function isOurs(host: string | null, port: number | null): boolean {
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(host ?? '');
  const name = match?.[1]?.toLowerCase() ?? '';
  return loopbackNames.has(name) && (port === null || Number(match?.[2] ?? 80) === port);
}
