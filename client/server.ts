import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { remote } from '../protocol/api.ts';
import type { Channel } from '../protocol/channel.ts';
import { CoachError } from '../protocol/errors.ts';
import type { ServerState } from '../protocol/pages.ts';
import { server as serverApi } from '../protocol/server.ts';
import { compareVersions } from '../protocol/versions.ts';
import { openServerStream, processGone, type ServerPlace, streamEnded } from './connection.ts';
import { prefix, serverContextKey } from './contributions.ts';
import { HeldSettings, windowEnvironment } from './heldSettings.ts';
import { OlderServer } from './olderServer.ts';
import { RestartPolicy } from './restartPolicy.ts';
import { type Connection, introduce, ServerLost } from './serverClient.ts';
import { defaultEnvironment } from './settings.ts';
import { StartFaults } from './startFaults.ts';
import { onlyReadsRecords } from './trust.ts';

/** How long a lost server's process is waited for, and one that was asked to leave. */
const lastBreathMs = 2000;
const drainMs = 15_000;
/** How long a server may take to say whether it leaves: one that hangs must not keep the person from a new connection. */
const answerMs = 5000;
/** Windows of an older version start theirs again as soon as it is gone, by the policy four times: who comes first serves. */
const maxReplaced = 5;

/**
 * This window's connection to the background server. It is made on first use, and made again at most four times in
 * three minutes when it is lost; after that the person restarts it. Disposing leaves the server running.
 */
export class CoachServer implements vscode.Disposable {
  /** Connects on first use. Listeners stay across reconnections. */
  readonly channel: Channel = {
    request: async (method, params, signal) => {
      if (!vscode.workspace.isTrusted && !onlyReadsRecords(method)) throw notTrusted();
      const connection = await this.connect();
      const { channel, stream } = connection;
      try {
        await this.#settings.check(method, connection);
        return await channel.request(method, params, signal);
      } catch (error) {
        throw stream.destroyed ? new ServerLost() : error;
      }
    },
    notify: (method, params) => {
      void this.connect().then(
        ({ channel }) => channel.notify(method, params),
        () => undefined,
      );
    },
    onRequest: () => {
      throw new Error('The server sends no requests to the editor.');
    },
    onNotify: (method, listener) => {
      const listeners = this.#listeners.get(method) ?? new Set();
      this.#listeners.set(method, listeners.add(listener));
      return { dispose: () => void listeners.delete(listener) };
    },
  };
  readonly #listeners = new Map<string, Set<(payload: unknown) => void>>();
  readonly #stateChanged = new vscode.EventEmitter<ServerState>();
  readonly #policy = new RestartPolicy();
  readonly #settings = new HeldSettings();
  readonly #older = new OlderServer();
  readonly #faults = new StartFaults();
  readonly #subscription: vscode.Disposable;
  readonly #place: ServerPlace;
  readonly #program: string;
  readonly #version: string;
  readonly #log: vscode.LogOutputChannel;
  #connection: Promise<Connection> | undefined;
  /** Counts the connections that were given up: one being made then is not ours any more. */
  #givenUp = 0;
  #state: ServerState = 'idle';
  #disposed = false;
  readonly onDidChangeState = this.#stateChanged.event;

  constructor(options: { place: ServerPlace; program: string; version: string; log: vscode.LogOutputChannel }) {
    this.#place = options.place;
    this.#program = options.program;
    this.#version = options.version;
    this.#log = options.log;
    this.#subscription = vscode.workspace.onDidChangeConfiguration(event => this.#onChanged(event));
  }

  get state(): ServerState {
    return this.#state;
  }

  get place(): ServerPlace {
    return this.#place;
  }

  /** Whether the person sees already why the server can't start. */
  get isToldWhyDown(): boolean {
    return this.#faults.isShown;
  }

  /** Connects, or waits for the connection being made. After a failure only `restart` tries again. */
  connect(): Promise<Connection> {
    const isDown = this.#connection === undefined && this.#state === 'down';
    if (isDown || this.#disposed) return Promise.reject(this.#faults.last ?? downError());
    this.#connection ??= this.#open();
    return this.#connection;
  }

  /**
   * Ends the server and starts it anew, with the settings of now. False when it is in use by agents or trials: then it goes
   * on as it was started, and only the connection is a new one.
   */
  async restart(): Promise<boolean> {
    this.#policy.reset();
    const wasUp = this.#state === 'up';
    const ended = this.#leave(connection => (wasUp ? this.#end(connection) : Promise.resolve(true)));
    // Before the wait: what is asked meanwhile waits for the next server, or connects already where there was none.
    this.#setState('starting');
    if (wasUp) {
      const givenUp = this.#givenUp;
      this.#connection = ended.then(() => this.#open(givenUp));
      this.#connection.catch(() => undefined);
    }
    const isAnew = await ended;
    await this.connect();
    return isAnew;
  }

  dispose(): void {
    this.#disposed = true;
    this.#subscription.dispose();
    void this.#leave();
    this.#stateChanged.dispose();
  }

  async #open(givenUp = this.#givenUp): Promise<Connection> {
    const isOurs = () => givenUp === this.#givenUp;
    this.#setState('starting');
    for (;;) {
      if (this.#disposed) throw downError();
      try {
        const opened = await this.#openOnce();
        this.#log.info(`Connected to server ${opened.info.version}, process ${opened.info.pid}.`);
        if (isOurs()) this.#onOpened(opened);
        return opened;
      } catch (error) {
        if (error instanceof ServerLost && this.#policy.allows(Date.now())) continue;
        const fault = this.#faults.tell(CoachError.from(error), isOurs());
        this.#log.error(`${fault.message} ${fault.hint ?? ''}`);
        if (isOurs()) {
          this.#connection = undefined;
          this.#setState('down');
        }
        throw fault;
      }
    }
  }

  #onOpened(connection: Connection): void {
    this.#faults.forget();
    this.#setState('up');
    if (this.#isOlder(connection)) this.#older.wait(connection);
    this.#settings.warn(connection).catch((error: unknown) => this.#log.warn(String(error)));
  }

  /** A server older than this extension is replaced, unless it is in use. */
  async #openOnce(): Promise<Connection> {
    for (let replaced = 0; ; replaced++) {
      const opened = await introduce(await openServerStream(this.#place, this.#program, windowEnvironment()), {
        place: this.#place,
        version: this.#version,
        log: this.#log,
        heard: (method, payload) => this.#listeners.get(method)?.forEach(listen => void listen(payload)),
        closed: client => this.#onClosed(client),
      });
      if (!this.#isOlder(opened) || replaced === maxReplaced) return opened;
      if (!(await this.#end(opened))) {
        this.#log.warn(`Server ${opened.info.version} is older than this extension (${this.#version}) but in use.`);
        return opened;
      }
      await opened.client.dispose().catch(() => undefined);
    }
  }

  #isOlder({ info }: Connection): boolean {
    return compareVersions(info.version, this.#version) < 0;
  }

  /** Asks the server to leave, and waits until it takes no one any more. False when it is in use and stays. */
  async #end({ channel, stream }: Connection): Promise<boolean> {
    const asked = remote(serverApi, channel)
      .stop({ drain: true })
      .catch((error: unknown) => {
        if (stream.destroyed) return { stopping: true };
        throw error;
      });
    const late = new Promise<{ stopping: boolean }>(settle =>
      setTimeout(settle, answerMs, { stopping: false }).unref(),
    );
    const { stopping } = await Promise.race([asked, late]);
    // The end of its process is not waited for: the next server waits for that, and is ahead of those that other windows start.
    if (stopping) await streamEnded(stream, drainMs);
    return stopping;
  }

  #onClosed(client: LanguageClient): void {
    const current = this.#connection;
    void current?.then(
      connection => {
        if (connection.client !== client || this.#connection !== current || this.#disposed) return;
        this.#connection = undefined;
        this.#older.dispose();
        const again = this.#policy.allows(Date.now());
        this.#log.warn(`The server is gone. ${again ? 'Starting it again.' : 'Too often: waiting for a restart.'}`);
        if (again) this.#reopen(connection.info.pid);
        else this.#setState('down');
      },
      () => undefined,
    );
  }

  /** A dying process still takes connections for a moment, and drops them. */
  #reopen(lostPid: number): void {
    this.#setState('starting');
    const givenUp = this.#givenUp;
    const connection = processGone(lostPid, lastBreathMs).then(() => this.#open(givenUp));
    connection.catch(() => undefined);
    this.#connection = connection;
  }

  /** Gives up the connection. @returns what `last` does with it before; true without one */
  async #leave(last: (connection: Connection) => Promise<boolean> = async () => true): Promise<boolean> {
    const current = this.#connection;
    this.#connection = undefined;
    this.#givenUp++;
    this.#older.dispose();
    const connection = await current?.catch(() => undefined);
    if (connection === undefined) return true;
    const answer = await last(connection).catch(() => true);
    await connection.client.dispose().catch(() => undefined);
    return answer;
  }

  #onChanged(event: vscode.ConfigurationChangeEvent): void {
    const reset = defaultEnvironment(name => event.affectsConfiguration(`${prefix}.${name}`));
    if (Object.keys(reset).length === 0) return;
    // It could not start with what was set before.
    if (this.#state === 'down' && this.#faults.isOfSettings) return void this.restart().catch(() => undefined);
    void this.#connection
      ?.then(connection => this.#settings.warn(connection, reset))
      .catch((error: unknown) => this.#log.warn(String(error)));
  }

  #setState(state: ServerState): void {
    if (this.#disposed || state === this.#state) return;
    this.#state = state;
    void vscode.commands.executeCommand('setContext', serverContextKey, state);
    this.#stateChanged.fire(state);
  }
}

function notTrusted(): CoachError {
  return new CoachError('server.denied', vscode.l10n.t('This workspace is not trusted: nothing is run in it.'), {
    hint: vscode.l10n.t('Recorded sessions can be looked at. For all else, trust the workspace.'),
  });
}

function downError(): CoachError {
  return new CoachError('server.unreachable', vscode.l10n.t('The background server is not running.'), {
    hint: vscode.l10n.t('Restart it from the Codex Coach view.'),
  });
}
