import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/root.ts';
import { startProcess } from './calls.ts';
import type { Contestant, World } from './contestant.ts';
import { fairPeer } from './figure.ts';
import { startMitmdump } from './mitmdump.ts';
import { mockttpModule } from './mockttp.ts';
import { startOurs } from './ours.ts';
import type { PeerProxy } from './peerHttpMitmProxy.ts';
import { peerRecords } from './records.ts';
import { standing } from './threads.ts';

export interface Lineup {
  readonly contestants: readonly Contestant[];
  /** Peers that this machine does not have, with the reason. */
  readonly missing: Readonly<Record<string, string>>;
}

export async function startContestants(world: World): Promise<Lineup> {
  const missing: Record<string, string> = {};
  const started: Contestant[] = [];
  const start = async (name: string, open: () => Promise<Contestant>) => {
    try {
      started.push(await open());
    } catch (error) {
      missing[name] = error instanceof Error ? error.message : String(error);
    }
  };
  started.push(direct(world), await startOurs(world));
  await start(fairPeer, () => httpMitmProxy(world, fairPeer, join(world.scratch, 'http-mitm-proxy.sqlite3')));
  await start('http-mitm-proxy', () => httpMitmProxy(world, 'http-mitm-proxy', null));
  await start('mockttp + SQLite', () => mockttp(world));
  await start('mitmproxy + SQLite', () => mitmproxy(world));
  return { contestants: started, missing };
}

function direct({ upstreamPort }: World): Contestant {
  return {
    name: 'direct',
    pid: null,
    idleBytes: null,
    way: () => ({ port: upstreamPort, target: null, host: 'localhost', hostHeader: 'localhost', authorization: null }),
    stored: null,
    stop: async () => undefined,
  };
}

async function httpMitmProxy(world: World, name: string, database: string | null): Promise<Contestant> {
  const caDirectory = join(world.scratch, name.replaceAll(' ', ''));
  mkdirSync(caDirectory, { recursive: true });
  const peer = await startProcess<PeerProxy>(
    join(root, 'perf', 'peerHttpMitmProxy.ts'),
    [caDirectory, database ?? ''],
    { env: { ...process.env, NODE_EXTRA_CA_CERTS: world.caFile }, quiet: true },
  );
  const port = await peer.call('port', undefined as never);
  const stored = database === null ? null : peerRecords(database);
  return { name, ...standing(peer.pid), way: peerWay(world, port), stored, stop: peer.stop };
}

async function mockttp(world: World): Promise<Contestant> {
  const database = join(world.scratch, 'mockttp.sqlite3');
  const args = [mockttpModule(), world.caFile, database];
  const peer = await startProcess<PeerProxy>(join(root, 'perf', 'peerMockttp.ts'), args, { quiet: true });
  const port = await peer.call('port', undefined as never);
  const name = 'mockttp + SQLite';
  return { name, ...standing(peer.pid), way: peerWay(world, port), stored: peerRecords(database), stop: peer.stop };
}

async function mitmproxy(world: World): Promise<Contestant> {
  const database = join(world.scratch, 'mitmproxy.sqlite3');
  const { pid, port, stop } = await startMitmdump({
    ...world,
    database,
    addon: join(root, 'perf', 'peerMitmproxy.py'),
  });
  return {
    ...{ name: 'mitmproxy + SQLite', ...standing(pid), way: peerWay(world, port) },
    ...{ stored: peerRecords(database), stop },
  };
}

/** Peers have no upstream setting: they are asked for the upstream's own address. */
function peerWay({ upstreamPort }: World, port: number): Contestant['way'] {
  return (host = 'localhost') => {
    const target = `${host}:${upstreamPort}`;
    // http-mitm-proxy goes by the Host header instead of the CONNECT target.
    return { port, target, host, hostHeader: target, authorization: null };
  };
}
