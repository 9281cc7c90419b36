import { createServer } from 'node:net';
import { CoachError } from '../../../protocol/errors.ts';
import { delay } from '../../base/clock.ts';
import { listenOn, loopback } from './listening.ts';

const lookMs = 500;

/**
 * Calls `resume` each time a port that another program has is free again, until that works, nobody awaits the port any
 * more or the signal is given. Asks the system alone: the other program notices nothing.
 */
export async function whenFree(
  port: number,
  { isAwaited, signal }: { isAwaited: () => boolean; signal: AbortSignal },
  resume: () => Promise<void>,
): Promise<void> {
  for (;;) {
    await delay(lookMs, signal).catch(() => undefined);
    if (signal.aborted || !isAwaited()) return;
    if (!(await isFree(port))) continue;
    try {
      return await resume();
    } catch {
      // Somebody was faster; it was said before that the port is missed.
    }
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer(socket => socket.destroy());
  try {
    await listenOn(server, { host: loopback, port });
  } catch {
    return false;
  }
  await new Promise<void>(resolve => server.close(() => resolve()));
  return true;
}

/** Why the proxy can't be where agents of an earlier server expect it, and how to give them up. */
export function awaitedElsewhere(port: number, cause: unknown): unknown {
  if (!(cause instanceof CoachError) || cause.code !== 'proxy.portInUse') return cause;
  return new CoachError('proxy.portInUse', `${cause.message} Agents that were started before expect the proxy there.`, {
    cause,
    hint: `Stop that program: the proxy is back on port ${port} by itself. Or give those agents up: codex-coach server stop, then PROXY_PORT=<another port>.`,
  });
}
