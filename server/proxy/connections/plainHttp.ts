import type { Socket } from 'node:net';
import type { Tap } from '../../traces/recorder/recorder.ts';
import { type HttpHead, HttpSyntaxError, headerOf } from '../../traces/wire/httpHead.ts';
import { gated } from '../budget/budgetGate.ts';
import { type ModelEndpoint, parseAuthority } from '../hosts.ts';
import type { LaunchState } from '../launches/launches.ts';
import { endpointOf, mayReach } from '../launches/launchScope.ts';
import type { PlainUpstream } from '../upstream/upstream.ts';
import { admit, answerUnreachable, type ConnectionDeps, connectModel, openTap } from './connectionDeps.ts';
import { hostHeader, lastOfConnection, readdressed, withKey } from './credentials.ts';
import { answerError, answerJson, type FirstRequest, hasLeft } from './frontDoor.ts';
import { RequestRewriter } from './requestRewriter.ts';
import { splice } from './splice.ts';

const loopbackNames: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Traffic that is none of a model's. */
const unrecorded: Tap = { bytes: () => undefined, close: () => undefined };

/** Serves a connection without CONNECT: requests to ourselves, by a launch's base URL, and whole URLs to elsewhere. */
export async function servePlain(socket: Socket, first: FirstRequest, own: LaunchState | null, deps: ConnectionDeps) {
  const [, target] = first.head.startLine;
  if (!target.startsWith('/')) return forward(socket, first, own, deps);
  const port = own === null ? deps.port() : null;
  if (!isOurs(first.head, port)) return answerError(socket, 403, 'Unknown Host.');
  if (own === null && target === '/health') return answerJson(socket, 200, { product: 'codex-coach', status: 'ok' });
  const launch = own ?? deps.launches.withToken(target.split('/')[1] ?? '');
  if (launch === null) return answerError(socket, 401, 'Unknown launch: this address was not given by Codex Coach.');
  if (own === null) launch.hold(socket);
  await routeByBaseUrl(socket, first, launch, { prefix: own === null ? `/${launch.token}` : '', port }, deps);
}

async function routeByBaseUrl(
  socket: Socket,
  first: FirstRequest,
  launch: LaunchState,
  { prefix, port }: { prefix: string; port: number | null },
  deps: ConnectionDeps,
) {
  const endpoint = endpointOf(launch);
  const override = deps.overrideFor(launch, endpoint.host);
  const upstream = await connectModel(socket, { ...endpoint, override }, launch, deps);
  if (upstream === null) return;
  const key = launch.spec.realKey;
  const rewriter = new RequestRewriter(head => {
    const [, target] = head.startLine;
    if (!target.startsWith(`${prefix}/`)) throw new HttpSyntaxError('Another launch on the same connection.');
    if (!isOurs(head, port)) throw new HttpSyntaxError('Unknown Host.');
    const there = readdressed(head, target.slice(prefix.length), hostHeader(endpoint));
    return key === null ? there : withKey(there, key, endpoint.host);
  });
  passOn(socket, first, upstream, { recorded: endpoint, rewriter, launch }, deps);
}

/** A request with a whole URL, as programs send it to an HTTP_PROXY. Recorded when a model is served there. */
async function forward(socket: Socket, first: FirstRequest, own: LaunchState | null, deps: ConnectionDeps) {
  const place = absoluteTarget(first.head);
  if (place === null) return answerError(socket, 400, 'This proxy takes http:// URLs, and CONNECT for all others.');
  const launch = admit(socket, first.head, place, own, deps);
  if (launch === 'refused') return;
  const recorded = deps.hosts.has('http', place.host, place.port) || (launch !== null && mayReach(launch, place));
  const upstream = await connectPlain(socket, place, recorded, launch, deps);
  if (upstream === null) return;
  const { proxy } = upstream;
  const rewriter = new RequestRewriter(head => {
    const next = absoluteTarget(head);
    if (next === null || next.host !== place.host || next.port !== place.port) {
      throw new HttpSyntaxError('Another host on the same connection.');
    }
    // The agent's next request may be for another host: it shall open another connection for it.
    const there = lastOfConnection(readdressed(head, next.path, hostHeader(next)));
    if (proxy === null) return there;
    const credentials = proxy.authorization === null ? [] : [['Proxy-Authorization', proxy.authorization] as const];
    const headers = [...there.headers, deps.upstreams.via, ...credentials];
    return { startLine: [head.startLine[0], head.startLine[1], head.startLine[2]], headers };
  });
  passOn(socket, first, upstream.socket, { recorded: recorded ? place : null, rewriter, launch }, deps);
}

/** Null when there is no way, and the agent was told why. */
async function connectPlain(
  socket: Socket,
  place: ModelEndpoint,
  recorded: boolean,
  launch: LaunchState | null,
  deps: ConnectionDeps,
): Promise<PlainUpstream | null> {
  if (recorded) {
    const override = deps.overrideFor(launch, place.host);
    const model = await connectModel(socket, { ...place, override }, launch, deps);
    return model === null ? null : { socket: model, proxy: null };
  }
  try {
    if (launch === null) deps.policy.checkPort(place.host, place.port);
    return await deps.upstreams.plain(place);
  } catch (error) {
    answerUnreachable(socket, place, error, launch, deps);
    return null;
  }
}

function passOn(
  socket: Socket,
  first: FirstRequest,
  upstream: Socket,
  way: { recorded: ModelEndpoint | null; rewriter: RequestRewriter; launch: LaunchState | null },
  deps: ConnectionDeps,
): void {
  if (hasLeft(socket)) {
    socket.destroy();
    upstream.destroy();
    return;
  }
  way.launch?.hold(upstream);
  const tap = way.recorded === null ? unrecorded : openTap(socket, way.recorded, way.launch, deps);
  const there =
    way.recorded === null ? upstream : gated(upstream, { host: way.recorded.host, launch: way.launch }, deps.budgets);
  splice(socket, there, tap, way.rewriter);
  // Read again from the start, through the rewriter.
  socket.unshift(first.bytes);
  socket.resume();
}

function absoluteTarget(head: HttpHead): (ModelEndpoint & { readonly path: string }) | null {
  const [, authority = '', path = ''] = /^http:\/\/([^/?#@]+)([/?][^#]*)?$/i.exec(head.startLine[1]) ?? [];
  const place = parseAuthority(/:\d+$/.test(authority) ? authority : `${authority}:80`);
  return place === null ? null : { scheme: 'http', ...place, path: path.startsWith('/') ? path : `/${path}` };
}

/** Names under which a browser page of another site cannot reach us (DNS rebinding). `port` null: any. */
function isOurs(head: HttpHead, port: number | null): boolean {
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(headerOf(head, 'host') ?? '');
  const name = match?.[1]?.toLowerCase() ?? '';
  return loopbackNames.has(name) && (port === null || Number(match?.[2] ?? 80) === port);
}
