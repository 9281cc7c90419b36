import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { HttpSyntaxError, headerOf } from '../traces/wire/httpHead.ts';
import { gated } from './budgetGate.ts';
import { admit, answerUnreachable, type ConnectionDeps, openTap } from './connectionDeps.ts';
import { onlyFor, withKey } from './credentials.ts';
import type { TrustSign } from './distrust.ts';
import { answerError, type FirstRequest, readFirstRequest } from './frontDoor.ts';
import { parseAuthority } from './hosts.ts';
import type { LaunchState } from './launches.ts';
import { keyFor } from './launchScope.ts';
import { servePlain } from './plainHttp.ts';
import { RequestRewriter } from './requestRewriter.ts';
import { join, splice } from './splice.ts';
import type { Destination } from './upstream.ts';

/**
 * Serves one accepted connection. `own` is the launch whose listener it came through: it needs no token, and the
 * port in its Host header is one inside a sandbox.
 */
export async function serveConnection(socket: Socket, own: LaunchState | null, deps: ConnectionDeps): Promise<void> {
  socket.on('error', () => socket.destroy());
  socket.setNoDelay(true);
  own?.hold(socket);
  try {
    const first = await readFirstRequest(socket);
    if (first === null) socket.destroy();
    else if (hostsIn(first) > 1) answerError(socket, 400, 'More than one Host.');
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
  const launch = admit(socket, first.head, { scheme: 'https', ...target }, own, deps);
  if (launch === 'refused') return;
  const override = deps.overrideFor(launch, target.host);
  if (deps.hosts.has('https', target.host, target.port) || (override !== null && target.port === 443)) {
    return intercept(socket, first, { scheme: 'https', ...target, override }, launch, deps);
  }
  try {
    if (launch === null) deps.policy.checkPort(target.host, target.port);
    const upstream = await deps.upstreams.blind(target);
    if (socket.destroyed) return upstream.destroy();
    launch?.hold(upstream);
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    if (first.rest.length > 0) upstream.write(first.rest);
    join(socket, upstream);
  } catch (error) {
    answerUnreachable(socket, target, error, launch, deps);
  }
}

/** Ends TLS on both legs. The upstream comes first: when it can't be reached the agent still hears why. */
async function intercept(
  socket: Socket,
  { head, rest }: FirstRequest,
  destination: Destination,
  launch: LaunchState | null,
  deps: ConnectionDeps,
) {
  const upstream = await deps.upstreams.toModel(destination).catch((error: unknown) => {
    answerUnreachable(socket, destination, error, launch, deps);
    return null;
  });
  if (upstream === null) return;
  if (socket.destroyed) return upstream.destroy();
  const helloFrom = socket.bytesRead - rest.length;
  socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  if (rest.length > 0) socket.unshift(rest);
  const client = new TLSSocket(socket, {
    isServer: true,
    secureContext: deps.authority.contextFor(destination.host),
    ALPNProtocols: ['http/1.1'],
  });
  const program = headerOf(head, 'user-agent') ?? launch?.spec.agent ?? 'a program without a name';
  const saidHello = () => socket.bytesRead > helloFrom;
  noticeTrust({ client, upstream, saidHello }, end => deps.trust(destination.host, program, end));
  const key = keyFor(launch, destination);
  const { host } = destination;
  const rewriter = key === null ? null : new RequestRewriter(head => withKey(onlyFor(head, destination), key, host));
  const tap = openTap(socket, destination, launch, deps);
  launch?.hold(upstream);
  splice(client, gated(upstream, { host, launch }, deps.budgets), tap, rewriter);
}

/**
 * Whether the program takes our certificate: it refuses it in the handshake, or closes without a word after it, as
 * Node's programs do, while we could go on; or it sends something.
 */
function noticeTrust(
  { client, upstream, saidHello }: { client: TLSSocket; upstream: Duplex; saidHello: () => boolean },
  notice: (sign: TrustSign) => void,
): void {
  let hasSent = false;
  let upstreamEnded = false;
  for (const event of ['end', 'error']) {
    upstream.once(event, () => {
      upstreamEnded = true;
    });
  }
  client.once('data', () => {
    hasSent = true;
    notice('trusts');
  });
  client.once('close', () => {
    if (!hasSent && saidHello() && !upstreamEnded) notice('refuses');
  });
}

function hostsIn({ head }: FirstRequest): number {
  return headerOf(head, 'host') === null ? 0 : head.headers.filter(([name]) => name.toLowerCase() === 'host').length;
}
