import { toRpcError } from '../api.ts';
import { type Channel, RpcError } from '../channel.ts';
import { rpcCodes } from '../errors.ts';

interface End {
  readonly requests: Map<string, (params: unknown, signal: AbortSignal) => Promise<unknown>>;
  readonly listeners: Map<string, Set<(params: unknown) => void>>;
}

/** Two ends of one in-memory channel. Values pass through JSON, as on a real wire. */
export function channelPair(): [Channel, Channel] {
  const left = emptyEnd();
  const right = emptyEnd();
  return [endOf(left, right), endOf(right, left)];
}

function emptyEnd(): End {
  return { requests: new Map(), listeners: new Map() };
}

function endOf(own: End, other: End): Channel {
  return {
    async request(method, params, signal) {
      const handler = other.requests.get(method);
      if (handler === undefined) throw new RpcError(rpcCodes.noMethod, `No handler for ${method}`);
      if (signal?.aborted) throw new RpcError(rpcCodes.cancelled, 'Cancelled.');
      const controller = new AbortController();
      const abort = () => controller.abort();
      signal?.addEventListener('abort', abort, { once: true });
      try {
        return overWire(await handler(overWire(params), controller.signal));
      } catch (error) {
        throw toRpcError(error);
      } finally {
        signal?.removeEventListener('abort', abort);
      }
    },
    notify(method, params) {
      for (const listener of other.listeners.get(method) ?? []) listener(overWire(params));
    },
    onRequest(method, handler) {
      own.requests.set(method, handler);
      return { dispose: () => void own.requests.delete(method) };
    },
    onNotify(method, handler) {
      const listeners = own.listeners.get(method) ?? new Set();
      own.listeners.set(method, listeners.add(handler));
      return { dispose: () => void listeners.delete(handler) };
    },
  };
}

function overWire(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
