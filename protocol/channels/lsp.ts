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

/** Builds the connection library's own error, the only kind whose number and data it puts on the wire. */
type ResponseErrors = (code: number, message: string, data: unknown) => Error;

/** A channel over JSON-RPC. */
export function lspChannel(connection: JsonRpcConnection, responseError: ResponseErrors): Channel {
  return {
    // An undefined token would count as one more parameter.
    request: (method, params, signal) =>
      signal === undefined
        ? connection.sendRequest(method, params ?? {})
        : connection.sendRequest(method, params ?? {}, tokenOf(signal)),
    notify: (method, params) => void connection.sendNotification(method, params),
    onRequest: (method, handler) =>
      connection.onRequest(method, (params, token) => settled(() => handler(params, signalOf(token)), responseError)),
    onNotify: (method, handler) => connection.onNotification(method, handler),
  };
}

/** A server's end of a connection, as scripts (JSON-RPC alone) and editors (LSP) have it. */
export interface ServedConnection {
  readonly connection: {
    /** Takes the requests that have no handler of their own. */
    onRequest(handler: (method: string, params: unknown, token: Token) => Promise<unknown>): Disposable;
    sendNotification(method: string, params: unknown): unknown;
    listen(): void;
  };
  /** Of the library that the connection is from. */
  readonly responseError: ResponseErrors;
}

/** Answers every request that has no handler of its own. */
export function answerRequests(
  { connection, responseError }: ServedConnection,
  answer: (method: string, params: unknown, signal: AbortSignal) => Promise<unknown>,
): Disposable {
  return connection.onRequest((method, params, token) =>
    settled(() => answer(method, params, signalOf(token)), responseError),
  );
}

async function settled(answer: () => Promise<unknown>, responseError: ResponseErrors): Promise<unknown> {
  try {
    return (await answer()) ?? null;
  } catch (error) {
    const rpc = toRpcError(error);
    throw responseError(rpc.code, rpc.message, rpc.data);
  }
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
