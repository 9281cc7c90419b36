import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';

interface MitmdumpOptions {
  readonly scratch: string;
  readonly caFile: string;
  readonly database: string;
  readonly addon: string;
}

/** Starts mitmdump on a free port. @throws when it is not installed and can't be */
export async function startMitmdump({ scratch, caFile, database, addon }: MitmdumpOptions) {
  provideMitmdump();
  const port = await freePort();
  const settings = {
    confdir: join(scratch, 'mitmproxy'),
    ssl_verify_upstream_trusted_ca: caFile,
    // It refuses names that are none in the public sense otherwise.
    connection_strategy: 'lazy',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const child = spawn('mitmdump', ['-q', '--listen-host', '127.0.0.1', '-p', String(port), '-s', addon, ...flags], {
    env: { ...process.env, PEER_DATABASE: database },
    stdio: 'ignore',
  });
  await untilListening(port, 20_000);
  return {
    pid: child.pid ?? 0,
    port,
    stop: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function provideMitmdump(): void {
  if (isInstalled()) return;
  if (process.getuid?.() !== 0) throw new Error('mitmproxy is not installed (Debian: apt-get install mitmproxy)');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, stdio: 'ignore', timeout: 240_000 } as const;
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'mitmproxy'], options);
}

function isInstalled(): boolean {
  try {
    execFileSync('mitmdump', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** It can't be asked which port it took. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilListening(port: number, withinMs: number): Promise<void> {
  for (const until = Date.now() + withinMs; Date.now() < until; ) {
    const socket = connect(port, '127.0.0.1');
    const answer = await new Promise<boolean>(resolve => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (answer) return;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error('mitmdump does not listen.');
}
