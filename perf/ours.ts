import { join } from 'node:path';
import { remote } from '../protocol/api.ts';
import { proxy as proxyApi } from '../protocol/proxy.ts';
import { server as serverApi } from '../protocol/server.ts';
import { root } from '../scripts/root.ts';
import { coachPaths } from '../server/base/paths.ts';
import { connectToServer } from '../server/connect.ts';
import type { Contestant, World } from './contestant.ts';
import { ourRecords } from './records.ts';
import { standing } from './threads.ts';

const usualHost = 'api.openai.com';

/** The built server with recording on, started as every user starts it. */
export async function openServer(home: string) {
  const env = { ...process.env, COACH_HOME: home, PROXY_PORT: '0' };
  const paths = coachPaths(env);
  const program = join(root, 'dist', 'server.cjs');
  const connection = await connectToServer({ paths, client: 'test', program, env });
  return {
    ...{ connection, paths, proxy: remote(proxyApi, connection.channel) },
    stop: async () => {
      await remote(serverApi, connection.channel).stop({});
      await connection.closed;
      connection.dispose();
    },
  };
}

export async function startOurs({ scratch, upstreamPort, caFile, freshHosts }: World): Promise<Contestant> {
  const home = join(scratch, 'coach');
  // The first start of a version compiles it; every later one finds what was compiled.
  await (await openServer(home)).stop();
  const { connection, paths, proxy, stop } = await openServer(home);
  const { pid, idleBytes } = standing(connection.info.pid);
  const target = `https://localhost:${upstreamPort}`;
  const launch = await proxy.launch({
    agent: 'codex',
    overrides: [usualHost, ...freshHosts].map(host => ({ host, target, caFile })),
  });
  const authorization = `Basic ${Buffer.from(`coach:${launch.token}`).toString('base64')}`;
  return {
    name: 'ours',
    ...{ pid, idleBytes },
    way: (host = usualHost) => ({ port: launch.port, target: `${host}:443`, host, hostHeader: host, authorization }),
    stored: ourRecords(paths.tracesDb),
    stop,
  };
}
