import type { Socket } from 'node:net';
import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { methodOf, remote } from '../protocol/api.ts';
import type { Channel } from '../protocol/channel.ts';
import { lspChannel } from '../protocol/channels/lsp.ts';
import { CoachError } from '../protocol/errors.ts';
import type { ServerState } from '../protocol/pages.ts';
import { type ServerInfo, server as serverApi } from '../protocol/server.ts';
import { taskFileGlobs } from '../protocol/taskFiles.ts';
import { compareVersions } from '../protocol/versions.ts';
import { servedApis } from './api.ts';
import { openServerStream, processGone, readToken, type ServerPlace } from './connection.ts';
import { serverContextKey } from './contributions.ts';
import { RestartPolicy } from './restartPolicy.ts';
import { settingsEnvironment } from './settings.ts';
import { onlyReadsRecords } from './trust.ts';

/** How long a lost server's process is waited for, and an older one that was asked to leave. */
const lastBreathMs = 2000;
const drainMs = 15_000;

/** The stream ended while something was asked over it. */
class ServerLost extends CoachError {
  constructor() {
    super('server.unreachable', vscode.l10n.t('The background server went away during this request.'), {
      hint: vscode.l10n.t('It is started again by itself. Try again in a moment.'),
    });
  }
}

interface Connection {
  readonly stream: Socket;
  readonly client: LanguageClient;
  readonly channel: Channel;
  readonly info: ServerInfo;
}

/**
 * This window's connection to the background server. It is made on first use, and made again at most four times in
 * three minutes when it is lost; after that the person restarts it. Disposing leaves the server running.
 */
export class CoachServer implements vscode.Disposable {
  /** Connects on first use. Listeners stay across reconnections. */
  readonly channel: Channel = {
    request: async (method, params, signal) => {
      if (!vscode.workspace.isTrusted && !onlyReadsRecords(method)) throw notTrusted();
      const { channel, stream } = await this.connect();
      try {
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
  }

  get state(): ServerState {
    return this.#state;
  }

  get place(): ServerPlace {
    return this.#place;
  }

  /** Connects, or waits for the connection being made. After a failure only `restart` tries again. */
  connect(): Promise<Connection> {
    const isDown = this.#connection === undefined && this.#state === 'down';
    if (isDown || this.#disposed) return Promise.reject(downError());
    this.#connection ??= this.#open();
    return this.#connection;
  }

  /** Connects anew, with a server process started if there is none. */
  async restart(): Promise<void> {
    this.#policy.reset();
    const closed = this.#closeClient();
    // Before the wait: what is asked meanwhile connects already, and then it is up.
    this.#setState('starting');
    await closed;
    await this.connect();
  }

  dispose(): void {
    this.#disposed = true;
    void this.#closeClient();
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
        if (isOurs()) this.#setState('up');
        return opened;
      } catch (error) {
        if (error instanceof ServerLost && this.#policy.allows(Date.now())) continue;
        const fault = CoachError.from(error);
        this.#log.error(`${fault.message} ${fault.hint ?? ''}`);
        if (isOurs()) {
          this.#connection = undefined;
          this.#setState('down');
        }
        throw fault;
      }
    }
  }

  async #openOnce(): Promise<Connection> {
    const env = { ...process.env, ...settingsEnvironment() };
    const opened = await this.#introduce(await openServerStream(this.#place, this.#program, env));
    if (compareVersions(opened.info.version, this.#version) >= 0 || !(await this.#replace(opened))) return opened;
    return this.#introduce(await openServerStream(this.#place, this.#program, env));
  }

  /** Runs a language client over the stream and says hello. */
  async #introduce(stream: Socket): Promise<Connection> {
    // Loaded here and not with the extension: it is most of the bundle, and activation needs none of it.
    const { CloseAction, ErrorAction, LanguageClient, ResponseError } = await import('vscode-languageclient/node');
    const client = new LanguageClient(
      'codexCoach',
      'Codex Coach',
      () => Promise.resolve({ reader: stream, writer: stream, detached: true }),
      {
        outputChannel: this.#log,
        documentSelector: taskFileGlobs.map(pattern => ({ scheme: 'file', pattern })),
        initializationFailedHandler: () => false,
        // Whether and when to connect again is decided below, by the end of the stream.
        errorHandler: {
          error: () => ({ action: ErrorAction.Continue, handled: true }),
          closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
        },
      },
    );
    for (const { name, members } of servedApis) {
      for (const [member, { kind }] of Object.entries(members)) {
        if (kind !== 'event') continue;
        const method = methodOf(name, member);
        client.onNotification(method, payload => this.#listeners.get(method)?.forEach(listen => void listen(payload)));
      }
    }
    stream.once('close', () => this.#onClosed(client));
    try {
      await client.start();
      const channel = lspChannel(client, (code, message, data) => new ResponseError(code, message, data));
      const hello = { token: readToken(this.#place), version: this.#version, client: 'editor' } as const;
      return { stream, client, channel, info: await remote(serverApi, channel).hello(hello) };
    } catch (error) {
      const lost = stream.destroyed;
      stream.destroy();
      throw lost ? new ServerLost() : error;
    }
  }

  /** Asks an older server to leave. False when it is in use and stays. */
  async #replace({ client, channel, info }: Connection): Promise<boolean> {
    const { stopping } = await remote(serverApi, channel).stop({ drain: true });
    if (!stopping) {
      this.#log.warn(`Server ${info.version} is older than this extension (${this.#version}) but in use.`);
      return false;
    }
    await processGone(info.pid, drainMs);
    await client.dispose().catch(() => undefined);
    return true;
  }

  #onClosed(client: LanguageClient): void {
    const current = this.#connection;
    void current?.then(
      connection => {
        if (connection.client !== client || this.#connection !== current || this.#disposed) return;
        this.#connection = undefined;
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

  async #closeClient(): Promise<void> {
    const current = this.#connection;
    this.#connection = undefined;
    this.#givenUp++;
    const connection = await current?.catch(() => undefined);
    await connection?.client.dispose().catch(() => undefined);
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
