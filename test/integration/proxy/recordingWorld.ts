import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { silentLog } from '../../../server/base/log.ts';
import { createProxy, type ProxyDeps } from '../../../server/proxy/captureProxy.ts';
import { type ProxyHandlerDeps, proxyHandlers } from '../../../server/proxy/handlers.ts';
import { ModelHosts } from '../../../server/proxy/hosts.ts';
import type { LaunchSpec, ProxyLaunch, ProxyService } from '../../../server/proxy/proxy.ts';
import { type Recorder, startRecorder } from '../../../server/traces/recorder/recorder.ts';
import { TraceStore } from '../../../server/traces/store.ts';
import { temporaryDirectory } from '../../temporary.ts';

/** A proxy on a free port with its own authority and database, all gone after the test. */
export interface RecordingWorld {
  readonly directory: string;
  readonly database: string;
  readonly proxy: ProxyService;
  readonly recorder: Recorder;
  readonly store: TraceStore;
  readonly port: number;
  open(spec?: Partial<LaunchSpec>): Promise<ProxyLaunch>;
}

/** `more`: what the proxy is given beside its recorder and its place. */
export async function aRecordingWorld(
  workerFile: string | null = null,
  more: Partial<ProxyDeps> = {},
): Promise<RecordingWorld> {
  const directory = temporaryDirectory();
  const database = join(directory, 'traces.sqlite3');
  const recorder = await startRecorder({ file: database, workerFile, idleSeconds: 120, log: silentLog });
  const store = new TraceStore(database);
  const proxy = createProxy({
    caDirectory: join(directory, 'ca'),
    launchFile: join(directory, 'launches.json'),
    recorder,
    store,
    log: silentLog,
    env: process.env,
    ...more,
  });
  const { port } = await proxy.start(0);
  onTestFinished(async () => {
    await proxy.dispose();
    await recorder.dispose();
    store.dispose();
  });
  return { directory, database, proxy, recorder, store, port: port ?? 0, open: spec => proxy.open(aLaunch(spec)) };
}

export function aLaunch(spec: Partial<LaunchSpec> = {}): LaunchSpec {
  return {
    agent: 'codex',
    label: null,
    overrides: [],
    replay: false,
    defaultHost: 'api.openai.com',
    realKey: null,
    trialId: null,
    ...spec,
  };
}

/** The query of promise C3, as a user types it, in another connection that only reads. */
export function askDatabase(file: string): { at: string; model: string | null; host: string }[] {
  const database = new Database(file, { readonly: true });
  try {
    const sql = `SELECT datetime(ts_ms/1000,'unixepoch') AS at, json_extract(request_json,'$.model') AS model,
      json_extract(meta_json,'$.upstream_host') AS host FROM traces ORDER BY ts_ms DESC LIMIT 10`;
    return database.prepare(sql).all() as { at: string; model: string | null; host: string }[];
  } finally {
    database.close();
  }
}

/** A tunnel through the proxy; rejects with the proxy's status line when it refuses. */
export function openTunnel(port: number, target: string, token?: string, path?: string): Promise<Socket> {
  const socket = path === undefined ? connect(port, '127.0.0.1') : connect(path);
  const credentials = token === undefined ? '' : `Proxy-Authorization: Basic ${btoa(`coach:${token}`)}\r\n`;
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${credentials}\r\n`);
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', chunk => {
      const text = chunk.toString('latin1');
      if (text.startsWith('HTTP/1.1 200 ')) resolve(socket);
      else {
        socket.destroy();
        reject(new Error(text));
      }
    });
  });
}

/** TLS inside a tunnel, trusting the proxy's authority alone. */
export async function openSecure(world: RecordingWorld, host: string, token?: string): Promise<TLSSocket> {
  const socket = await openTunnel(world.port, `${host}:443`, token);
  const ca = readFileSync(world.proxy.status().caFile);
  const secure = connectTls({ socket, servername: host, ca, ALPNProtocols: ['http/1.1'] });
  await new Promise<void>((resolve, reject) => {
    secure.once('secureConnect', () => resolve());
    secure.once('error', reject);
  });
  return secure;
}

/** Everything that a stream gives until it ends. */
export function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on('data', chunk => chunks.push(chunk));
    socket.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    socket.once('error', reject);
  });
}

export interface ProgramOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with this whole environment; null removes a variable. */
export function runProgram(
  file: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string | null | undefined> },
): Promise<ProgramOutcome> {
  const env = Object.fromEntries(Object.entries(options.env).filter(([, value]) => typeof value === 'string'));
  return new Promise(resolve => {
    const child = execFile(
      file,
      args,
      { cwd: options.cwd, env: env as NodeJS.ProcessEnv, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
    child.stdin?.end();
  });
}

/** What clients of the server may ask of the proxy of this world. `more`: of its own settings, and what replays. */
export const handlersOf = ({ proxy, recorder, store }: RecordingWorld, more: Partial<ProxyHandlerDeps> = {}) =>
  proxyHandlers({
    service: proxy,
    recorder,
    store,
    port: () => 0,
    defaultHost: () => 'api.openai.com',
    startReplay: () => Promise.reject(new Error('No replay here.')),
    hosts: new ModelHosts(),
    hide: values => values.forEach(value => void recorder.hide(value)),
    ...more,
  });
