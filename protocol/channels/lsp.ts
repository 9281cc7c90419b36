import { toRpcError } from '../api.ts';
import type { Channel, Disposable } from '../channel.ts';

interface Token {
  readonly isCancellationRequested: boolean;
  onCancellationRequested(listener: () => void): Disposable;
}

/** What a vscode-jsonrpc MessageConnection, a LanguageClient and a language server's connection have in common. */
export interface JsonRpcConnection {
  sendRequest(method: string, params: unknown, token?: Token): Promise<unknown>;
  sendNotification(method: string, params: unknown): unknown;
  onRequest(method: string, handler: (params: unknown, token: Token) => Promise<unknown>): Disposable;
  onNotification(method: string, handler: (params: unknown) => void): Disposable;
}

/**
 * A channel over JSON-RPC. `responseError` builds the connection library's own error, the only kind whose
 * number and data it puts on the wire.
 */
export function lspChannel(
  connection: JsonRpcConnection,
  responseError: (code: number, message: string, data: unknown) => Error,
): Channel {
  return {
    // An undefined token would count as one more parameter.
    request: (method, params, signal) =>
      signal === undefined
        ? connection.sendRequest(method, params ?? {})
        : connection.sendRequest(method, params ?? {}, tokenOf(signal)),
    notify: (method, params) => void connection.sendNotification(method, params),
    onRequest: (method, handler) =>
      connection.onRequest(method, async (params, token) => {
        try {
          return (await handler(params, signalOf(token))) ?? null;
        } catch (error) {
          const rpc = toRpcError(error);
          throw responseError(rpc.code, rpc.message, rpc.data);
        }
      }),
    onNotify: (method, handler) => connection.onNotification(method, handler),
  };
}

function tokenOf(signal: AbortSignal): Token {
  return {
    get isCancellationRequested() {
      return signal.aborted;
    },
    onCancellationRequested(listener) {
      const tell = () => {
        try {
          listener();
        } catch {
          // The connection ended before the request: there is nobody left to tell.
        }
      };
      signal.addEventListener('abort', tell, { once: true });
      return { dispose: () => signal.removeEventListener('abort', tell) };
    },
  };
}

/** An editor's cancellation token as an AbortSignal. */
export function signalOf(token: Token): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  else token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}
