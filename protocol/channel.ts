export interface Disposable {
  dispose(): void;
}

/**
 * A two-way message pipe: LSP connection, webview port or in-memory pair. Values are JSON.
 * A request rejects with `CoachError`, or with `RpcError` when the other side refused its parameters.
 */
export interface Channel {
  request(method: string, params: unknown, signal?: AbortSignal): Promise<unknown>;
  notify(method: string, params: unknown): void;
  onRequest(method: string, handler: (params: unknown, signal: AbortSignal) => Promise<unknown>): Disposable;
  onNotify(method: string, handler: (params: unknown) => void): Disposable;
}

/** A refusal by number, as JSON-RPC has it; `-32602` carries the readable reasons of a failed parse. */
export class RpcError extends Error {
  readonly code: number;
  readonly data: unknown;
  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.name = 'RpcError';
    this.code = code;
    this.data = data;
  }
}
