import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endpointOf } from '../protocol/endpoint.ts';
import { CoachError } from '../protocol/errors.ts';
import { serverEnvironment } from '../protocol/server.ts';
import { userHome } from './userHome.ts';

/** How long a starting server may take until its socket answers. */
const startTimeoutMs = 15_000;
const pollMs = 50;
/** How often a server that leaves its place to another one is started again: that one may just be ending. */
const maxStarts = 5;

/** The background server of one COACH_HOME, as a client sees it. */
export interface ServerPlace {
  readonly home: string;
  readonly endpoint: string;
  /** What the server and its loader print before its own log is open. */
  readonly outputFile: string;
}

export function serverPlace(env: NodeJS.ProcessEnv = process.env): ServerPlace {
  const named = env['COACH_HOME']?.replace(/^~(?=[\\/]|$)/, () => userHome(env));
  const home = resolve(named || join(userHome(env), '.codex-coach'));
  const endpoint = endpointOf(home, {
    platform: process.platform,
    userId: userInfo().uid,
    sha256Hex: text => createHash('sha256').update(text).digest('hex'),
  });
  return { home, endpoint, outputFile: join(home, 'logs', 'server-output.log') };
}

/** The secret that `hello` must show; only the same user can read it. It exists while a server listens. */
export function readToken(place: ServerPlace): string {
  return readFileSync(join(place.home, 'server.token'), 'utf8');
}

/**
 * A stream to the background server, which is started detached when none answers.
 * @param program the server's bundle, run by this very Node (in the editor: Electron as Node)
 * @throws CoachError `server.unreachable` when it exits early or stays silent for 15 s
 */
export async function openServerStream(
  place: ServerPlace,
  program: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Socket> {
  const running = await openSocket(place.endpoint);
  if (running !== null) return running;
  const said = lastLineSince(place.outputFile);
  let exited = startServer(place, program, env);
  let starts = 1;
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    const socket = await openSocket(place.endpoint);
    if (socket !== null) return socket;
    const exitCode = await Promise.race([exited, delay(pollMs)]);
    if (typeof exitCode !== 'number') continue;
    if (exitCode !== 0) throw notStarted(place, exitCode, said());
    // Another server of this home was faster, or is only now giving up its place.
    await delay(pollMs);
    if (starts++ < maxStarts) exited = startServer(place, program, env);
  }
  throw unreachable(place, `did not answer within ${startTimeoutMs / 1000} s`);
}

/** What a server that can't start leaves behind: it has no other way to say why. */
function lastLineSince(file: string): () => string | null {
  const from = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return () => {
    const written = readFileSync(file).subarray(from).toString('utf8');
    return written.trimEnd().split('\n').at(-1) || null;
  };
}

/** Resolves once no process has this id, or after the time given. */
export async function processGone(pid: number, timeoutMs: number): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await delay(pollMs)) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
  }
}

/** Resolves once the server has closed the stream, or after the time given. */
export function streamEnded(stream: Socket, timeoutMs: number): Promise<void> {
  if (stream.destroyed) return Promise.resolve();
  return new Promise(settle => {
    const timer = setTimeout(settle, timeoutMs);
    stream.once('close', () => {
      clearTimeout(timer);
      settle();
    });
  });
}

function startServer(place: ServerPlace, program: string, env: NodeJS.ProcessEnv): Promise<number> {
  mkdirSync(dirname(place.outputFile), { recursive: true, mode: 0o700 });
  const output = openSync(place.outputFile, 'a', 0o600);
  // The editor's own variables would make programs under the server talk to this window.
  const kept = Object.entries(env).filter(([name]) => !/^(VSCODE_|ELECTRON_|npm_)/.test(name));
  const child = spawn(process.execPath, [program], {
    cwd: place.home,
    env: { ...Object.fromEntries(kept), ...serverEnvironment(place.home) },
    detached: true,
    stdio: ['ignore', output, output],
    windowsHide: true,
  });
  closeSync(output);
  child.unref();
  return new Promise(settle => {
    child.once('error', () => settle(1));
    child.once('exit', exitCode => settle(exitCode ?? 1));
  });
}

function openSocket(endpoint: string): Promise<Socket | null> {
  return new Promise(settle => {
    const socket = connect(endpoint);
    socket.once('error', () => settle(null));
    socket.once('connect', () => {
      socket.on('error', () => socket.destroy());
      settle(socket);
    });
  });
}

function notStarted(place: ServerPlace, exitCode: number, reason: string | null): CoachError {
  if (reason === null) return unreachable(place, `exited with code ${exitCode}`);
  const sentence = reason.replace(/(?<![.!?])$/, '.');
  return new CoachError('server.unreachable', `The background server can't start: ${sentence}`, {
    hint: `All it said is in ${place.outputFile}.`,
  });
}

function unreachable(place: ServerPlace, what: string): CoachError {
  return new CoachError('server.unreachable', `The background server for ${place.home} ${what}.`, {
    hint: `Its output is in ${place.outputFile}.`,
  });
}
