// GET requests of 1 KB over CONNECT and TLS on one kept connection, one at a time: through our proxy with recording on,
// through http-mitm-proxy without any recording, and straight to the upstream. Rounds are interleaved.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { remote } from '../protocol/api.ts';
import { proxy as proxyApi } from '../protocol/proxy.ts';
import { server as serverApi } from '../protocol/server.ts';
import { root } from '../scripts/root.ts';
import { coachPaths } from '../server/base/paths.ts';
import { connectToServer } from '../server/connect.ts';
import { testAuthority } from '../test/fakes/upstreamCertificate.ts';

export interface Figure {
  readonly figure: string;
  readonly unit: string;
  readonly ours: number;
  readonly peers: Readonly<Record<string, number>>;
  /** Ours divided by http-mitm-proxy's. */
  readonly ratio: number;
}

const rounds = 5;
const requestsPerRound = 1000;
const body = 'x'.repeat(1024);
const host = 'api.openai.com';

/** Added latency per request against the direct connection, median of all rounds, in microseconds. */
export async function measureRequests(): Promise<Figure[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'coach-perf-'));
  const authority = testAuthority();
  const upstream = createServer(authority.issue(host, 'localhost'), (_request, response) => {
    response.setHeader('content-length', body.length);
    response.end(body);
  });
  await new Promise<void>(resolve => upstream.listen(0, '127.0.0.1', resolve));
  const upstreamPort = (upstream.address() as AddressInfo).port;
  const ours = await startOurs(scratch, upstreamPort, authority.caFile);
  const peer = await startPeer(scratch, authority.caFile);
  try {
    const direct = await openDirect(upstreamPort);
    const throughOurs = await openThrough(ours.port, `${host}:443`, ours.authorization);
    const throughPeer = await openThrough(peer.port, `localhost:${upstreamPort}`, null);
    const samples = { direct: [] as number[], ours: [] as number[], peer: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      samples.direct.push(...(await timeRequests(direct, 'localhost')));
      samples.ours.push(...(await timeRequests(throughOurs, host)));
      samples.peer.push(...(await timeRequests(throughPeer, `localhost:${upstreamPort}`)));
    }
    for (const socket of [direct, throughOurs, throughPeer]) socket.destroy();
    const added = (list: number[]) => Math.round(median(list) - median(samples.direct));
    const figures = { ours: added(samples.ours), peer: added(samples.peer) };
    return [
      {
        figure: 'added latency, 1 KB request, p50',
        unit: 'µs',
        ours: figures.ours,
        peers: { 'http-mitm-proxy': figures.peer },
        ratio: Number((figures.ours / figures.peer).toFixed(2)),
      },
    ];
  } finally {
    await ours.stop();
    peer.stop();
    upstream.closeAllConnections();
    upstream.close();
    authority.dispose();
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function startOurs(scratch: string, upstreamPort: number, caFile: string) {
  const env = { ...process.env, COACH_HOME: join(scratch, 'coach'), PROXY_PORT: '0' };
  const connection = await connectToServer({
    paths: coachPaths(env),
    client: 'test',
    program: join(root, 'dist', 'server.cjs'),
    env,
  });
  const launch = await remote(proxyApi, connection.channel).launch({
    agent: 'codex',
    overrides: [{ host, target: `https://localhost:${upstreamPort}`, caFile }],
  });
  return {
    port: launch.port,
    authorization: `Basic ${Buffer.from(`coach:${launch.token}`).toString('base64')}`,
    stop: async () => {
      await remote(serverApi, connection.channel).stop({});
      await connection.closed;
      connection.dispose();
    },
  };
}

async function startPeer(scratch: string, caFile: string) {
  const script = join(root, 'perf', 'peerHttpMitmProxy.ts');
  const child = spawn(process.execPath, [script, join(scratch, 'peer-ca')], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: caFile },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const line = await new Promise<string>(resolve => createInterface(child.stdout).once('line', resolve));
  return { port: (JSON.parse(line) as { port: number }).port, stop: () => void child.kill() };
}

function openDirect(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false });
    socket.setNoDelay(true);
    socket.once('error', reject);
    socket.once('secureConnect', () => resolve(socket));
  });
}

function openThrough(port: number, target: string, authorization: string | null): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const plain = connect(port, '127.0.0.1');
    plain.setNoDelay(true);
    plain.once('error', reject);
    const credentials = authorization === null ? '' : `Proxy-Authorization: ${authorization}\r\n`;
    plain.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${credentials}\r\n`);
    let reply = '';
    const take = (chunk: Buffer) => {
      reply += chunk.toString('latin1');
      if (!reply.includes('\r\n\r\n')) return;
      plain.off('data', take);
      if (!/^HTTP\/1\.1 200/.test(reply)) return reject(new Error(`CONNECT ${target}: ${reply}`));
      // The client's side of the certificate is not what is measured here.
      const socket = tlsConnect({ socket: plain, servername: target.split(':')[0] ?? '', rejectUnauthorized: false });
      socket.once('error', reject);
      socket.once('secureConnect', () => resolve(socket));
    };
    plain.on('data', take);
  });
}

async function timeRequests(socket: TLSSocket, hostHeader: string): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < requestsPerRound; count++) {
    const startedAt = process.hrtime.bigint();
    await oneRequest(socket, hostHeader);
    times.push(Number(process.hrtime.bigint() - startedAt) / 1000);
  }
  return times;
}

function oneRequest(socket: TLSSocket, hostHeader: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = '';
    const take = (chunk: Buffer) => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      if (end < 0 || received.length < end + 4 + body.length) return;
      socket.off('data', take);
      socket.off('error', reject);
      if (received.slice(end + 4) === body) resolve();
      else reject(new Error('The body came back changed.'));
    };
    socket.on('data', take);
    socket.once('error', reject);
    socket.write(`GET /v1/models HTTP/1.1\r\nHost: ${hostHeader}\r\n\r\n`);
  });
}

function median(list: readonly number[]): number {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
