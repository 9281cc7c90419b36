import type { Channel, Disposable } from '../protocol/channel.ts';
import { CoachError } from '../protocol/errors.ts';
import { delay } from './base/clock.ts';
import { type ConnectOptions, connectToServer, type ServerConnection, ServerEndedError } from './connect.ts';

/** A server that lived shorter than this ended too soon; how long the next one is then waited with. */
const shortLifeMs = 10_000;
const maxPauseMs = 500;
/** And at most, while no server can be started at all. */
const maxVainPauseMs = 10_000;

interface LastingOptions {
  readonly watch?: boolean;
  /** Told once why no server can be started while it is watched for. */
  readonly note?: (text: string) => void;
  /** Called when a watched server that ended has been replaced: what was asked of it in vain can be asked of the new one. */
  readonly onReopened?: () => void;
}

/**
 * A way to the server that outlives it: after its end the next call connects again, starting it where needed. Listeners
 * stay. With `watch` it is started again as soon as it has ended: agents wait for its proxy.
 */
export class LastingChannel implements Channel {
  readonly #options: ConnectOptions;
  readonly #watch: boolean;
  readonly #note: (text: string) => void;
  readonly #onReopened: () => void;
  readonly #listeners = new Map<string, Set<(payload: unknown) => void>>();
  #current: Promise<ServerConnection> | null = null;
  #pauseMs = 0;
  readonly #ended = new AbortController();

  constructor(
    options: ConnectOptions,
    { watch = false, note = noteOnStandardError, onReopened = () => undefined }: LastingOptions = {},
  ) {
    this.#options = options;
    this.#watch = watch;
    this.#note = note;
    this.#onReopened = onReopened;
  }

  async request(method: string, params: unknown, signal?: AbortSignal): Promise<unknown> {
    return (await this.#connected()).channel.request(method, params, signal);
  }

  notify(method: string, params: unknown): void {
    void this.#connected()
      .then(({ channel }) => channel.notify(method, params))
      .catch(() => undefined);
  }

  onRequest(): Disposable {
    throw new Error('The server sends no requests.');
  }

  onNotify(method: string, handler: (payload: unknown) => void): Disposable {
    const known = this.#listeners.get(method);
    const handlers = known ?? new Set();
    this.#listeners.set(method, handlers.add(handler));
    if (known === undefined) {
      void this.#current?.then(({ channel }) => this.#listen(channel, method)).catch(() => undefined);
    }
    return { dispose: () => void handlers.delete(handler) };
  }

  dispose(): void {
    this.#ended.abort();
    void this.#current?.then(connection => connection.dispose()).catch(() => undefined);
  }

  #connected(): Promise<ServerConnection> {
    if (this.#current === null) {
      const opening = this.#open();
      this.#current = opening;
      opening.catch(() => {
        if (this.#current === opening) this.#current = null;
      });
    }
    return this.#current;
  }

  async #open(): Promise<ServerConnection> {
    const connection = await connectToServer(this.#options, this.#ended.signal);
    for (const method of this.#listeners.keys()) this.#listen(connection.channel, method);
    const openedAt = Date.now();
    void connection.closed.then(() => {
      this.#current = null;
      if (!this.#watch || this.#ended.signal.aborted) return;
      const short = Date.now() - openedAt < shortLifeMs;
      this.#pauseMs = short ? Math.min(maxPauseMs, this.#pauseMs * 2 || 50) : 0;
      this.#current = this.#reopen();
      void this.#current.then(this.#onReopened).catch(() => undefined);
    });
    return connection;
  }

  /** Until there is a server again, or nobody waits for one any more. */
  async #reopen(): Promise<ServerConnection> {
    for (let isTold = false; ; isTold = true) {
      await delay(this.#pauseMs, this.#ended.signal);
      try {
        return await this.#open();
      } catch (error) {
        this.#ended.signal.throwIfAborted();
        if (!isTold) this.#note(waitingFor(CoachError.from(error)));
        this.#pauseMs = Math.min(maxVainPauseMs, Math.max(maxPauseMs, this.#pauseMs * 2));
      }
    }
  }

  #listen(channel: Channel, method: string): void {
    channel.onNotify(method, payload => this.#listeners.get(method)?.forEach(handler => void handler(payload)));
  }
}

function waitingFor({ message, hint }: CoachError): string {
  return `${message} It is tried again until it works. ${hint ?? ''}`.trimEnd();
}

function noteOnStandardError(text: string): void {
  process.stderr.write(`codex-coach: ${text}\n`);
}

const maxTries = 5;

/** Asks a lasting channel again when the server ended under the request. For requests that may be carried out twice. */
export async function askAgain<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ServerEndedError) || tries === maxTries) throw error;
    }
  }
}
