import { randomInt } from 'node:crypto';
import type { Server } from 'node:net';
import { CoachError } from '../../../protocol/errors.ts';
import { delay } from '../../base/clock.ts';

export const loopback = '127.0.0.1';

/** How long a predecessor that was killed may still hold its port. */
const handoverMs = 1500;
const retryMs = 50;
/** How long another program may take to say who it is. */
const healthMs = 1000;

/**
 * Systems give higher ports to outgoing connections (Linux from 32768, macOS and Windows from 49152): one of those could
 * be taken in the moment in which a killed server is started again, and its agents would find no proxy.
 */
const lastingPorts = { from: 20_000, to: 32_000 } as const;
const maxPicks = 20;

/**
 * Listens on a port of 127.0.0.1 (0: any free one).
 * @throws CoachError `proxy.portInUse` when another program has it, for longer than a dying process does
 */
export async function listenOnLoopback(server: Server, port: number): Promise<void> {
  if (port === 0) return listenOnFreePort(server);
  for (const deadline = Date.now() + handoverMs; ; await delay(retryMs)) {
    try {
      return await listenOn(server, { host: loopback, port });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (Date.now() >= deadline) throw await portInUse(port, error);
    }
  }
}

async function listenOnFreePort(server: Server): Promise<void> {
  for (let pick = 0; pick < maxPicks; pick++) {
    try {
      return await listenOn(server, { host: loopback, port: randomInt(lastingPorts.from, lastingPorts.to) });
    } catch (error) {
      // Windows keeps whole ranges to itself.
      if (!['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  return listenOn(server, { host: loopback, port: 0 });
}

export function listenOn(server: Server, place: { host: string; port: number } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const listening = () => {
      server.removeListener('error', failed);
      resolve();
    };
    const failed = (error: Error) => {
      server.removeListener('listening', listening);
      reject(error);
    };
    server.once('error', failed);
    server.once('listening', listening);
    server.listen(place);
  });
}

async function portInUse(port: number, cause: unknown): Promise<CoachError> {
  const owner = (await isOurProxy(port)) ? 'another Codex Coach' : 'another program';
  return new CoachError('proxy.portInUse', `Port ${port} is taken by ${owner}.`, {
    cause,
    hint: 'Stop that program, or choose another port: codex-coach server stop, then PROXY_PORT=<port> (0 takes any free one).',
  });
}

/** Whether a Codex Coach proxy answers on this port of the machine. */
export async function isOurProxy(port: number): Promise<boolean> {
  const { get } = await import('node:http');
  return new Promise(resolve => {
    const request = get({ host: loopback, port, path: '/health', timeout: healthMs }, response => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text = (text + chunk).slice(0, 1000);
      });
      response.on('end', () => resolve(text.includes('"codex-coach"')));
      response.on('error', () => resolve(false));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
