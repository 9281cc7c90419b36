import { toRpcError } from '../api.ts';
import { type Channel, type Disposable, RpcError } from '../channel.ts';
import { rpcCodes } from '../errors.ts';

/** Something that posts and receives JSON messages: a webview from either side. */
export interface MessagePort {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): Disposable;
}

type Message =
  | { kind: 'request'; id: number; method: string; params: unknown }
  | { kind: 'cancel'; id: number }
  | { kind: 'result'; id: number; value: unknown }
  | { kind: 'error'; id: number; code: number; message: string; data: unknown }
  | { kind: 'notify'; method: string; params: unknown };

/** A channel over a message port. Dispose it with its owner: pending requests are then rejected as cancelled. */
export function portChannel(port: MessagePort): Channel & Disposable {
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const running = new Map<number, AbortController>();
  const requests = new Map<string, (params: unknown, signal: AbortSignal) => Promise<unknown>>();
  const listeners = new Map<string, Set<(params: unknown) => void>>();
  let nextId = 1;
  const post = (message: Message) => port.post(message);

  async function answer(message: Extract<Message, { kind: 'request' }>): Promise<void> {
    const controller = new AbortController();
    running.set(message.id, controller);
    try {
      const handler = requests.get(message.method);
      if (handler === undefined) throw new RpcError(-32601, `${message.method} is not allowed here.`);
      post({ kind: 'result', id: message.id, value: await handler(message.params, controller.signal) });
    } catch (error) {
      const rpc = toRpcError(error);
      post({ kind: 'error', id: message.id, code: rpc.code, message: rpc.message, data: rpc.data });
    } finally {
      running.delete(message.id);
    }
  }

  const subscription = port.onMessage(raw => {
    const message = raw as Message;
    if (message.kind === 'request') void answer(message);
    else if (message.kind === 'cancel') running.get(message.id)?.abort();
    else if (message.kind === 'notify')
      listeners.get(message.method)?.forEach(listener => void listener(message.params));
    else if (message.kind === 'result') settle(message.id)?.resolve(message.value);
    else if (message.kind === 'error')
      settle(message.id)?.reject(new RpcError(message.code, message.message, message.data));
  });

  function settle(id: number) {
    const entry = pending.get(id);
    pending.delete(id);
    return entry;
  }

  return {
    request(method, params, signal) {
      const id = nextId++;
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(new RpcError(rpcCodes.cancelled, 'Cancelled.'));
        const cancel = () => post({ kind: 'cancel', id });
        const forget = () => signal?.removeEventListener('abort', cancel);
        signal?.addEventListener('abort', cancel, { once: true });
        pending.set(id, {
          resolve(value) {
            forget();
            resolve(value);
          },
          reject(error) {
            forget();
            reject(error);
          },
        });
        post({ kind: 'request', id, method, params });
      });
    },
    notify: (method, params) => post({ kind: 'notify', method, params }),
    onRequest(method, handler) {
      requests.set(method, handler);
      return { dispose: () => void requests.delete(method) };
    },
    onNotify(method, handler) {
      const set = listeners.get(method) ?? new Set();
      listeners.set(method, set.add(handler));
      return { dispose: () => void set.delete(handler) };
    },
    dispose() {
      subscription.dispose();
      for (const controller of running.values()) controller.abort();
      for (const entry of pending.values()) entry.reject(new RpcError(rpcCodes.cancelled, 'The page was closed.'));
      pending.clear();
    },
  };
}
