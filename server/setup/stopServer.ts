import { existsSync } from 'node:fs';
import { remote } from '../../protocol/api.ts';
import { CoachError } from '../../protocol/errors.ts';
import { server } from '../../protocol/server.ts';
import { delay, within } from '../base/clock.ts';
import { isAlive } from '../base/exec.ts';
import { type HeldLock, takeLock } from '../base/lock.ts';
import type { CoachPaths } from '../base/paths.ts';
import { connectToRunningServer, type ServerConnection } from '../connect.ts';

/** How long a stopping server may take to close its databases. */
const exitTimeoutMs = 15_000;

/** What to do about those who start the server again as soon as it has ended. */
export const closeOthers =
  'Close VS Code windows with Codex Coach, `codex-coach proxy run`, and agents that use our tools; then run this again.';

interface StopOptions {
  readonly alone: boolean;
  readonly timeoutMs?: number;
  onStopped?(): void;
}

/**
 * Stops the background server, if there is one, and takes its lock: until that is released, no other one serves this
 * COACH_HOME. Null without a COACH_HOME. With `alone` it stops for nobody else: whoever is connected may start it again.
 * `onStopped` is called when one was there.
 * @throws CoachError `recording.active` while it is needed, `server.unreachable` when it does not answer
 */
export async function stopServer(
  paths: CoachPaths,
  { alone, timeoutMs = exitTimeoutMs, onStopped }: StopOptions,
): Promise<HeldLock | null> {
  if (!existsSync(paths.home)) return null;
  let stopped = false;
  for (const deadline = Date.now() + timeoutMs; ; await delay(20)) {
    const lock = takeLock(paths.lockFile);
    if (lock !== null) {
      if (stopped) onStopped?.();
      return lock;
    }
    if (Date.now() > deadline) throw unanswered(paths);
    const connection = await connectToRunningServer({ paths, client: 'cli' }).catch((cause: unknown) => {
      throw unanswered(paths, cause);
    });
    // None: it is starting, or on its way out.
    if (connection === null) continue;
    await stop(connection, alone, timeoutMs).catch(unlessEnded);
    stopped = true;
  }
}

/** One that ends by itself as we ask is as good as stopped. */
function unlessEnded(error: unknown): void {
  if (CoachError.from(error).code !== 'server.unreachable') throw error;
}

async function stop(connection: ServerConnection, alone: boolean, timeoutMs: number): Promise<void> {
  try {
    const running = remote(server, connection.channel);
    const { stopping } = await running.stop({ drain: true, idle: alone });
    if (!stopping) throw needed(alone && (await running.status({})).clients > 1);
    await within(timeoutMs, connection.closed);
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline && isAlive(connection.info.pid)) await delay(50);
  } finally {
    connection.dispose();
  }
}

function needed(byClients: boolean): CoachError {
  if (byClients) {
    return new CoachError('recording.active', 'Others use the background server and would start it again.', {
      hint: `Nothing was undone. ${closeOthers}`,
    });
  }
  return new CoachError('recording.active', 'A trial runs or an agent is being recorded; nothing was undone.', {
    hint: 'Let it end, or end it: codex-coach server stop',
  });
}

function unanswered(paths: CoachPaths, cause?: unknown): CoachError {
  return new CoachError(
    'server.unreachable',
    `A background server has ${paths.home} open and does not answer; nothing was undone.`,
    {
      cause,
      hint: `End its process, whose number ends the name of the newest log in ${paths.logs}, and run this again.`,
    },
  );
}
