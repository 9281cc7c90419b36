import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { remote } from '../protocol/api.ts';
import { server } from '../protocol/server.ts';
import { root } from '../scripts/root.ts';
import { codex } from '../server/agents/codex.ts';
import { isAlive } from '../server/base/exec.ts';
import { type CoachPaths, coachPaths } from '../server/base/paths.ts';
import { connectToServer, type ServerConnection } from '../server/connect.ts';
import { codexDirectory } from './require.ts';
import { temporaryDirectory } from './temporary.ts';

export interface CliOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A COACH_HOME of its own with its own server, both gone after the test. */
export interface World {
  readonly paths: CoachPaths;
  readonly env: NodeJS.ProcessEnv;
  connect(program?: string): Promise<ServerConnection>;
  /** Runs the built `codex-coach`. */
  cli(args: readonly string[], options?: { cwd?: string; env?: NodeJS.ProcessEnv }): Promise<CliOutcome>;
  /** Processes that were started with this COACH_HOME and live. */
  processes(): { pid: number; command: string }[];
  /** Ports that those processes listen on, as /proc/net/tcp names them. */
  ports(): string[];
}

export const cliProgram = join(root, 'bin', 'codex-coach.cjs');
export const serverProgram = join(root, 'dist', 'server.cjs');

export function aWorld(more: NodeJS.ProcessEnv = {}, home = join(temporaryDirectory(), 'coach')): World {
  // The sessions of whoever runs the tests are none of theirs.
  const unseen = { PROXY_PORT: '0', CODEX_TRACE_HOME: join(home, 'no-codex') };
  const env: NodeJS.ProcessEnv = { ...process.env, ...unseen, ...more, COACH_HOME: home };
  const paths = coachPaths(env);
  onTestFinished(() => stopServer(paths, env));
  return {
    paths,
    env,
    connect: async (program = serverProgram) => {
      const connection = await connectToServer({ paths, client: 'test', program, env });
      onTestFinished(() => connection.dispose());
      return connection;
    },
    cli: (args, options = {}) =>
      run(process.execPath, [cliProgram, ...args], { env: { ...env, ...options.env }, cwd: options.cwd ?? home }),
    processes: () => processesOf(home),
    ports: () =>
      processesOf(home)
        .flatMap(({ pid }) => portsOf(pid))
        .sort(),
  };
}

/** Puts the real Codex CLI of the test run where this world's agent cache expects it. */
export function provideCodex(world: World): void {
  const program = codexDirectory();
  const version = codex.package?.version;
  if (program === null || version === undefined) throw new Error('No Codex CLI; ask requireFeature first.');
  const place = join(world.paths.cache, 'agents', 'codex', version);
  if (existsSync(place)) return;
  mkdirSync(place, { recursive: true });
  symlinkSync(program, join(place, 'program'));
}

export function run(
  file: string,
  args: readonly string[],
  options: { env: NodeJS.ProcessEnv; cwd?: string },
): Promise<CliOutcome> {
  if (options.cwd !== undefined) mkdirSync(options.cwd, { recursive: true });
  return new Promise(resolve => {
    const child = execFile(file, [...args], { ...options, maxBuffer: 64 * 1024 * 1024 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
    // Codex waits for the end of an open standard input.
    child.stdin?.end();
  });
}

export async function until(probe: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!probe()) {
    if (Date.now() > deadline) throw new Error('Waited too long.');
    await new Promise(resolve => setTimeout(resolve, 30));
  }
}

async function stopServer(paths: CoachPaths, env: NodeJS.ProcessEnv): Promise<void> {
  const last = await connectToServer({ paths, client: 'test', program: null, env }).catch(() => null);
  if (last === null) return;
  await remote(server, last.channel)
    .stop({})
    .catch(() => undefined);
  await until(() => !isAlive(last.info.pid));
  last.dispose();
}

function processesOf(home: string): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const ours = environment.split('\0').includes(`COACH_HOME=${home}`) || command.includes(home);
      if (ours && command !== '') found.push({ pid, command });
    } catch {
      // Ended while we looked.
    }
  }
  return found;
}

function portsOf(pid: number): string[] {
  const sockets = new Set<string>();
  for (const fd of filesOf(pid)) {
    try {
      sockets.add(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? '');
    } catch {
      // Closed while we looked.
    }
  }
  const listening = '0A';
  return ['tcp', 'tcp6'].flatMap(table =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .map(line => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === listening && sockets.has(inode ?? ''))
      .map(([, address]) => address ?? ''),
  );
}

function filesOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    // Ended while we looked.
    return [];
  }
}

/** Containers of ours that the engine knows, running or not; none where no engine answers. */
export function containers(): string[] {
  try {
    const argv = ['ps', '--all', '--quiet', '--filter', 'label=coach.owner'];
    return execFileSync('docker', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .filter(Boolean);
  } catch {
    return [];
  }
}
