import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  ConnectionError,
  createMessageConnection,
  ErrorCodes,
  ResponseError,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import { remote } from '../protocol/api.ts';
import type { Channel } from '../protocol/channel.ts';
import { lspChannel } from '../protocol/channels/lsp.ts';
import { CoachError } from '../protocol/errors.ts';
import { type ServerInfo, server as serverApi, serverEnvironment } from '../protocol/server.ts';
import { compareVersions } from '../protocol/versions.ts';
import { atMost, delay, within } from './base/clock.ts';
import { isAlive, startDetached } from './base/exec.ts';
import { messageReader } from './base/messageReader.ts';
import { type CoachPaths, ensureHome, readOnlyError } from './base/paths.ts';
import { checkSettings } from './base/settings.ts';
import { version } from './base/version.ts';

/** How long a starting server may take until its socket answers. */
const startTimeoutMs = 15_000;
/** How often a server that ends while it starts is started again. */
const maxStarts = 5;

export interface ServerConnection {
  readonly channel: Channel;
  readonly info: ServerInfo;
  /** True when this call had to start the server. */
  readonly started: boolean;
  readonly closed: Promise<void>;
  dispose(): void;
}

export interface ClientOptions {
  readonly paths: CoachPaths;
  readonly client: 'cli' | 'mcp' | 'http' | 'test';
}

export interface ConnectOptions extends ClientOptions {
  /** The server's program; null connects only. */
  readonly program: string | null;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Connects to the background server of this COACH_HOME, starting it when there is none. A server older than this
 * client is replaced, unless trials or traced agents depend on it; then it serves until they are done.
 * @throws CoachError `server.unreachable` with the place of the server's log.
 */
export async function connectToServer(options: ConnectOptions, signal?: AbortSignal): Promise<ServerConnection> {
  ensureHome(options.paths);
  const existing = await tryConnect(options, false);
  if (existing !== null) {
    if (compareVersions(existing.info.version, version) >= 0 || options.program === null) return existing;
    if (!(await replace(existing))) return existing;
  }
  if (options.program === null) throw unreachable(options.paths);
  checkSettings(options.env);
  const output = new OutputSince(join(options.paths.logs, 'server-output.log'));
  let pid = launch(options, options.program);
  let starts = 1;
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    await delay(50, signal);
    const connection = await tryConnect(options, true);
    if (connection !== null) return connection;
    if (isAlive(pid)) continue;
    const reason = output.lastLine();
    if (starts > 1 && reason !== null) throw notStarted(options.paths, reason);
    // Killed in its start, or another one was faster: then this one leaves, too.
    if (starts++ < maxStarts) pid = launch(options, options.program);
  }
  throw unreachable(options.paths);
}

/** Connects to the background server of this COACH_HOME if one runs, whatever its version. Makes no directory. */
export function connectToRunningServer(options: ClientOptions): Promise<ServerConnection | null> {
  return tryConnect(options, false);
}

/** What a server that can't start leaves behind: it has no other way to say why. */
class OutputSince {
  readonly #file: string;
  readonly #from: number;

  constructor(file: string) {
    this.#file = file;
    this.#from = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }

  lastLine(): string | null {
    try {
      const written = readFileSync(this.#file).subarray(this.#from).toString('utf8');
      return written.trimEnd().split('\n').at(-1) || null;
    } catch {
      return null;
    }
  }
}

async function tryConnect({ paths, client }: ClientOptions, started: boolean): Promise<ServerConnection | null> {
  const socket = await openSocket(paths.socket);
  if (socket === null) return null;
  const connection = createMessageConnection(messageReader(socket), new StreamMessageWriter(socket));
  connection.onError(() => socket.destroy());
  connection.listen();
  let open = true;
  const closed = new Promise<void>(resolve => {
    socket.once('close', () => {
      open = false;
      resolve();
    });
  });
  const channel = endingWith(
    closed,
    lspChannel(connection, (code, message, data) => new ResponseError(code, message, data)),
  );
  const dispose = () => {
    connection.dispose();
    socket.destroy();
  };
  let token = '';
  try {
    token = await readToken(paths);
    const hello = remote(serverApi, channel).hello({ token, version, client });
    const info = await atMost(startTimeoutMs, hello, () => unreachable(paths));
    return { channel, info, started, closed, dispose };
  } catch (error) {
    // A server on its way out, or one that is only starting, is as good as none.
    const denied = CoachError.from(error).code === 'server.denied';
    // Without a token file, one whose home was deleted answers where its socket lies elsewhere.
    const passing = !open || socket.destroyed || (denied && (started || token === ''));
    dispose();
    if (passing) return null;
    throw error;
  }
}

/** Empty when the server has not written it yet; it then refuses us. */
async function readToken(paths: CoachPaths): Promise<string> {
  try {
    return await readFile(paths.tokenFile, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** The same channel; requests under way when the connection ends are refused instead of waiting for ever. */
function endingWith(closed: Promise<void>, channel: Channel): Channel {
  const ended = closed.then(() => {
    throw new ServerEndedError();
  });
  ended.catch(() => undefined);
  return {
    ...channel,
    request: async (method, params, signal) => {
      try {
        return await Promise.race([channel.request(method, params, signal), ended]);
      } catch (error) {
        if (!isEnd(error)) throw error;
        // Who asks again must find the connection gone.
        await closed;
        throw new ServerEndedError();
      }
    },
  };
}

/** Whether a request failed because there was nobody any more to write it to. */
function isEnd(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  return error instanceof ResponseError && error.code === ErrorCodes.MessageWriteError;
}

function openSocket(path: string): Promise<Socket | null> {
  return new Promise(resolve => {
    const socket = connect(path);
    socket.once('error', () => resolve(null));
    socket.once('connect', () => {
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}

/** @returns the process id */
function launch({ paths, env }: ConnectOptions, program: string): number {
  let logFd: number;
  try {
    logFd = openSync(join(paths.logs, 'server-output.log'), 'a', 0o600);
  } catch (cause) {
    throw readOnlyError(paths.logs, cause);
  }
  const inherited = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('npm_')));
  try {
    return startDetached([process.execPath, program], { ...inherited, ...serverEnvironment(paths.home) }, logFd);
  } finally {
    closeSync(logFd);
  }
}

/** Ends an older server and waits until it is gone; false when it is needed and stays. */
async function replace(old: ServerConnection): Promise<boolean> {
  const { stopping } = await remote(serverApi, old.channel).stop({ drain: true });
  if (!stopping) return false;
  await within(startTimeoutMs, old.closed);
  old.dispose();
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline && isAlive(old.info.pid)) await delay(50);
  return true;
}

/** Works with a connection. When the server goes away meanwhile, the work is given up: its events would never come. */
export function whileConnected<T>(connection: ServerConnection, work: () => Promise<T>): Promise<T> {
  const ended = connection.closed.then(() => {
    throw new ServerEndedError();
  });
  return Promise.race([work(), ended]);
}

/** The server ended under a request: whether it was carried out is unknown. */
export class ServerEndedError extends CoachError {
  constructor() {
    super('server.unreachable', 'The background server ended.', {
      hint: 'Run the command again; a run that was cut off is kept: codex-coach runs list',
    });
  }
}

function notStarted(paths: CoachPaths, reason: string): CoachError {
  return new CoachError('server.unreachable', `The background server can't start: ${reason}`, {
    hint: `All it said is in ${join(paths.logs, 'server-output.log')}.`,
  });
}

function unreachable(paths: CoachPaths): CoachError {
  return new CoachError('server.unreachable', `No background server answers for ${paths.home}.`, {
    hint: `Its output is in ${join(paths.logs, 'server-output.log')}. Try again, or choose another COACH_HOME.`,
  });
}
