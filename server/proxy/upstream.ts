import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CoachError } from '../../protocol/errors.ts';
import type { UpstreamOverride } from '../../protocol/proxy.ts';
import { upstreamContext } from './roots.ts';

const connectTimeoutMs = 30_000;
/** A model may think in silence for minutes: the kernel finds out about a peer that is gone. */
const keepAliveMs = 30_000;

export interface Destination {
  readonly host: string;
  readonly port: number;
  /** Where it goes instead; the agent and the trace do not notice. */
  readonly override: UpstreamOverride | null;
}

/**
 * Connects to a model host, verified TLS with HTTP/1.1 only, or to its override.
 * @throws CoachError `proxy.upstream` with the reason
 */
export function connectUpstream({ host, port, override }: Destination, env: NodeJS.ProcessEnv): Promise<Socket> {
  if (override === null) return connect({ host, port, tls: { caFile: undefined } }, env);
  const target = new URL(override.target);
  const secure = target.protocol === 'https:';
  return connect(
    {
      host: target.hostname.replace(/^\[|\]$/g, ''),
      port: Number(target.port) || (secure ? 443 : 80),
      tls: secure ? { caFile: override.caFile } : null,
    },
    env,
  );
}

/** Connects without TLS of our own, for a tunnel that passes blind. @throws CoachError `proxy.upstream` */
export function connectBlind(host: string, port: number): Promise<Socket> {
  return connect({ host, port, tls: null, allowHalfOpen: true }, {});
}

interface Target {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly caFile: string | undefined } | null;
  readonly allowHalfOpen?: boolean;
}

function connect({ host, port, tls, allowHalfOpen = false }: Target, env: NodeJS.ProcessEnv): Promise<Socket> {
  const options = { host, port, allowHalfOpen, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs };
  return new Promise((resolve, reject) => {
    const socket =
      tls === null
        ? connectTcp(options)
        : connectTls({
            ...options,
            ...(isIP(host) === 0 ? { servername: host } : {}),
            ALPNProtocols: ['http/1.1'],
            secureContext: upstreamContext(env, tls.caFile),
          });
    const fail = (error: Error) => {
      socket.destroy();
      reject(new CoachError('proxy.upstream', `Can't reach ${host}:${port}: ${error.message}`, { cause: error }));
    };
    socket.setTimeout(connectTimeoutMs, () => fail(new Error(`no answer within ${connectTimeoutMs / 1000} s`)));
    socket.once('error', fail);
    socket.once(tls === null ? 'connect' : 'secureConnect', () => {
      socket.setTimeout(0);
      socket.removeListener('error', fail);
      resolve(socket);
    });
  });
}
