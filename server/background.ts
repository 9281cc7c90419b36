import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { server as serverApi } from '../protocol/server.ts';
import { aborted, delay, toIso, within } from './base/clock.ts';
import { DisposableStack } from './base/disposable.ts';
import { giveBackAtRest } from './base/freedMemory.ts';
import { type HeldLock, takeLock } from './base/lock.ts';
import { fileLog, logOptions } from './base/log.ts';
import { outerProxyOf } from './base/outerProxy.ts';
import { type CoachPaths, coachPaths, ensureHome, readOnlyError } from './base/paths.ts';
import { checkSettings, environmentSettings, settingPrints } from './base/settings.ts';
import { machineSleep, type SleepLog } from './base/sleep.ts';
import { successor } from './base/successor.ts';
import { version } from './base/version.ts';
import { createServices, type Services } from './services.ts';
import { serveClient } from './surfaces/clients.ts';
import { domain } from './surfaces/domain.ts';

const idleCheckMs = 1000;
/** How long a predecessor that was killed may still hold the lock. */
const handoverMs = 2000;
const succeeded =
  'The files of this server were deleted or moved, and another one serves in its place. This one has left it the port; it goes on for the agents that are connected and ends with the last of them.';
/** How long what a server has recorded whose place another one has taken may take to be stored. */
const lastStoreMs = 5000;
/** Time for the answer to `stop` to leave before the connections are closed. */
const replyMs = 50;

/**
 * The background server, one per COACH_HOME: listens on its socket until told to stop or idle for long enough.
 * A second one for the same home leaves, exit code 0: the first one serves.
 * @throws what keeps it from serving
 */
export async function runServer(): Promise<void> {
  const paths = coachPaths();
  checkSettings(process.env);
  ensureHome(paths);
  const lock = await takeOver(paths);
  if (lock === null) return;
  const owner = new DisposableStack();
  owner.defer(() => lock.release());
  const settings = environmentSettings(process.env);
  const options = logOptions(process.env);
  const hidden = options.known;
  const { log, file: logFile, close } = fileLog(paths.logs, 'server', options);
  owner.defer(close);
  const services = await createServices({ paths, settings, log, hidden, env: process.env }).catch(
    async (error: unknown) => {
      log.error('The server cannot start.', { error });
      await owner.dispose();
      throw error;
    },
  );
  owner.add(services);
  // They have taken effect, and are meant for no program that is started from here.
  for (const name of ['NODE_COMPILE_CACHE', 'MALLOC_TRIM_THRESHOLD_']) delete process.env[name];

  const given = settingPrints(process.env);
  const clients = new Set<Socket>();
  const startedAt = toIso(Date.now());
  const token = randomBytes(32).toString('hex');
  const stopping = new AbortController();
  const stop = (reason: string) => {
    if (stopping.signal.aborted) return;
    log.info('Stopping.', { reason });
    stopping.abort();
  };
  const status = () => ({
    version,
    pid: process.pid,
    home: paths.home,
    startedAt,
    clients: clients.size,
    runningTrials: services.runningTrials(),
    log: logFile,
    outerProxy: outerProxyOf(process.env),
    settings: given,
  });
  const own = domain(serverApi, {
    hello: status,
    status,
    stop({ idle, drain }) {
      if ((idle || drain) && busy(services)) return { stopping: false };
      if (idle && clients.size > 1) return { stopping: false };
      setTimeout(stop, replyMs, 'asked by a client');
      return { stopping: true };
    },
  });

  const listener = createServer(socket => {
    clients.add(socket);
    serveClient(
      socket,
      {
        domains: { ...services.domains, server: async () => own },
        bus: services.bus,
        taskFiles: services.taskFiles,
        token,
        greet: status,
      },
      () => clients.delete(socket),
    );
  });
  owner.defer(() => closeListener(listener, clients));
  await listen(listener, paths, token);
  log.info('Listening.', { socket: paths.socket, version, pid: process.pid, node: process.versions.node });

  // Now, as it would otherwise be written at an end that may never come.
  flushCompileCache();

  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('unhandledRejection', error => log.error('Unhandled rejection.', { error }));
  watchIdle(settings.get('server.idleSeconds') * 1000, machineSleep(), {
    inUse: () => clients.size > 0 || busy(services),
    stop,
  });

  owner.add(giveBackAtRest(() => busy(services)));

  let isSucceeded = false;
  const giveWay = async () => {
    isSucceeded = true;
    log.warn(succeeded);
    services.giveWay();
    for (const client of clients) client.destroy();
    do await delay(idleCheckMs);
    while (busy(services));
    stop('another server serves this home');
  };
  const serving = { tokenFile: paths.tokenFile, token, lock, log, writeToken: () => writeToken(paths, token) };
  successor(serving, idleCheckMs, stopping.signal).then(giveWay, () => undefined);

  await aborted(stopping.signal);
  // What lies where our files did is a successor's: its socket would go with our listener.
  const end = isSucceeded ? within(lastStoreMs, services.endRecording()) : owner.dispose();
  await end.catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  process.exit(0);
}

function busy(services: Services): boolean {
  return services.runningTrials() > 0 || services.tracedConnections() > 0;
}

/** The lock, or null when a living server has it: one that answers. */
async function takeOver(paths: CoachPaths): Promise<HeldLock | null> {
  for (const deadline = Date.now() + handoverMs; ; await delay(50)) {
    const lock = takeLock(paths.lockFile);
    if (lock !== null || Date.now() > deadline || (await answers(paths.socket))) return lock;
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(socketPath);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function watchIdle(
  limitMs: number,
  sleeps: SleepLog,
  { inUse, stop }: { inUse: () => boolean; stop: (reason: string) => void },
): void {
  let lastUse = Date.now();
  setInterval(() => {
    const now = Date.now();
    if (inUse()) lastUse = now;
    else if (sleeps.awakeMs(lastUse, now) >= limitMs) stop('idle');
  }, idleCheckMs).unref();
}

/** The lock is ours, so a socket file that lies there is a dead server's. */
function listen(listener: Server, paths: CoachPaths, token: string): Promise<void> {
  if (process.platform !== 'win32') rmSync(paths.socket, { force: true });
  writeToken(paths, token);
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(paths.socket, () => {
      if (process.platform !== 'win32') chmodSync(paths.socket, 0o600);
      resolve();
    });
  });
}

function writeToken({ tokenFile }: CoachPaths, token: string): void {
  try {
    writeFileSync(tokenFile, token, { mode: 0o600 });
    chmodSync(tokenFile, 0o600);
  } catch (cause) {
    throw readOnlyError(tokenFile, cause);
  }
}

function closeListener(listener: Server, clients: ReadonlySet<Socket>): Promise<void> {
  return new Promise(resolve => {
    listener.close(() => resolve());
    for (const client of clients) client.destroy();
  });
}
