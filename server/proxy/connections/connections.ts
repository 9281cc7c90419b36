import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type SecureContext, TLSSocket } from 'node:tls';
import { HttpSyntaxError, headerOf } from '../../traces/wire/httpHead.ts';
import { gated } from '../budget/budgetGate.ts';
import type { TrustSign } from '../certificates/distrust.ts';
import { parseAuthority } from '../hosts.ts';
import { isLocal } from '../launches/baseUrls.ts';
import type { LaunchState } from '../launches/launches.ts';
import { keyFor } from '../launches/launchScope.ts';
import type { Destination } from '../upstream/upstream.ts';
import { admit, answerUnreachable, type ConnectionDeps, connectModel, openTap } from './connectionDeps.ts';
import { onlyFor, withKey } from './credentials.ts';
import { answerError, type FirstRequest, hasLeft, readFirstRequest } from './frontDoor.ts';
import { servePlain } from './plainHttp.ts';
import { RequestRewriter } from './requestRewriter.ts';
import { join, splice } from './splice.ts';

const handshakeTimeoutMs = 60_000;

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
  if (launch !== null && own === null && isLocal({ scheme: 'http', ...target }) && target.port === deps.port()) {
    return serveTunnelToUs(socket, first, deps);
  }
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

/** A launch's agent that asks its proxy even for the address that its launch gave it, whatever NO_PROXY says. */
async function serveTunnelToUs(socket: Socket, { rest }: FirstRequest, deps: ConnectionDeps) {
  socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  if (rest.length > 0) socket.unshift(rest);
  const reading = readFirstRequest(socket);
  socket.resume();
  const first = await reading;
  if (first === null) socket.destroy();
  else if (hostsIn(first) > 1) answerError(socket, 400, 'More than one Host.');
  else if (!first.head.startLine[1].startsWith('/'))
    answerError(socket, 400, 'A proxy request in a tunnel to the proxy.');
  else await servePlain(socket, first, null, deps);
}

/** Ends TLS on both legs. The upstream comes first: when it can't be reached the agent still hears why. */
async function intercept(
  socket: Socket,
  first: FirstRequest,
  destination: Destination,
  launch: LaunchState | null,
  deps: ConnectionDeps,
) {
  const upstream = await connectModel(socket, destination, launch, deps);
  if (upstream === null) return;
  if (hasLeft(socket)) {
    socket.destroy();
    return upstream.destroy();
  }
  try {
    decrypt({ socket, upstream }, first, destination, launch, deps);
  } catch (error) {
    upstream.destroy();
    throw error;
  }
}

function decrypt(
  { socket, upstream }: { socket: Socket; upstream: Socket },
  { head, rest }: FirstRequest,
  destination: Destination,
  launch: LaunchState | null,
  deps: ConnectionDeps,
): void {
  socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  const shownFrom = socket.bytesWritten;
  if (rest.length > 0) socket.unshift(rest);
  const client = secured(socket, deps.authority.contextFor(destination.host));
  const program = headerOf(head, 'user-agent') ?? launch?.spec.agent ?? 'a program without a name';
  const hasSeen = () => socket.bytesWritten > shownFrom;
  noticeTrust({ client, upstream, hasSeen }, sign => deps.trust(destination.host, program, sign));
  const key = keyFor(launch, destination);
  const { host } = destination;
  const rewriter = key === null ? null : new RequestRewriter(head => withKey(onlyFor(head, destination), key, host));
  const tap = openTap(socket, destination, launch, deps);
  launch?.hold(upstream);
  splice(client, gated(upstream, { host, launch }, deps.budgets), tap, rewriter, socket);
}

/** Our end of the agent's TLS; it closes when the agent does not come to the end of the handshake. */
function secured(socket: Socket, secureContext: SecureContext): TLSSocket {
  const client = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
  const timer = setTimeout(() => client.destroy(), handshakeTimeoutMs);
  for (const event of ['secure', 'close']) client.once(event, () => clearTimeout(timer));
  // An end that was read before, behind bytes that nobody had taken yet.
  socket.once('end', () => client.destroy());
  return client;
}

/** What a program says of a certificate, and not of TLS's version, its ciphers or its protocols. */
const certificateAlert = /ALERT_.*(CERTIFICATE|UNKNOWN_CA)/;

/**
 * Whether the program takes our certificate: it refuses it in the handshake, or closes without a word when it has seen
 * it, as Node's programs do, while we could go on; or it sends something.
 */
function noticeTrust(
  { client, upstream, hasSeen }: { client: TLSSocket; upstream: Duplex; hasSeen: () => boolean },
  notice: (sign: TrustSign) => void,
): void {
  let hasSent = false;
  let hasOtherReason = false;
  for (const event of ['end', 'error']) {
    upstream.once(event, () => {
      hasOtherReason = true;
    });
  }
  client.once('error', ({ code = '' }: NodeJS.ErrnoException) => {
    hasOtherReason ||= code.startsWith('ERR_SSL_') && !certificateAlert.test(code);
  });
  client.once('data', () => {
    hasSent = true;
    notice('trusts');
  });
  client.once('close', () => {
    if (!hasSent && hasSeen() && !hasOtherReason) notice('refuses');
  });
}

function hostsIn({ head }: FirstRequest): number {
  return headerOf(head, 'host') === null ? 0 : head.headers.filter(([name]) => name.toLowerCase() === 'host').length;
}
