import { chmod, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { CoachError } from '../../protocol/errors.ts';
import type { Launch, ProxyStatus, UpstreamOverride } from '../../protocol/proxy.ts';
import type { Disposable } from '../base/disposable.ts';
import { Emitter } from '../base/emitter.ts';
import type { Log } from '../base/log.ts';
import type { Recorder } from '../traces/recorder.ts';
import type { RecorderEvent } from '../traces/recorderMessages.ts';
import { type Authority, authorityFiles, openAuthority } from './authority.ts';
import { type ConnectionDeps, serveConnection } from './connections.ts';
import { canonicalHost, modelHosts } from './hosts.ts';
import { launchEnvironment } from './launchEnvironment.ts';
import { LaunchRegistry, LaunchState } from './launches.ts';
import type { LaunchSpec, ProxyLaunch, ProxyService } from './proxy.ts';

const loopback = '127.0.0.1';
/** How long `settled` waits for connections that the agent's end should have closed. */
const settleMs = 2000;

export interface ProxyDeps {
  /** Directory of the certificate authority: `coachPaths().ca`. */
  readonly caDirectory: string;
  readonly recorder: Recorder;
  readonly log: Log;
  /** For the certificates that this machine trusts (SSL_CERT_FILE). */
  readonly env: NodeJS.ProcessEnv;
  /** The user's own upstreams; those of a launch come before them. */
  readonly overrides?: readonly UpstreamOverride[];
}

/** The recording proxy; it owns neither the recorder nor the log. */
export function createProxy(deps: ProxyDeps): ProxyService {
  return new CaptureProxy(deps);
}

class CaptureProxy implements ProxyService {
  readonly #deps: ProxyDeps;
  readonly #launches = new LaunchRegistry();
  readonly #intercepted = new Set<string>(modelHosts);
  readonly #changes = new Emitter<ProxyStatus>();
  readonly #listeners = new Set<Server>();
  readonly #sockets = new Set<Socket>();
  readonly #subscription: Disposable;
  #listening: Promise<Authority> | null = null;
  #port: number | null = null;
  #error: string | null = null;
  #disposed = false;
  #open = 0;
  #exchanges = 0;
  #uncaptured = 0;

  constructor(deps: ProxyDeps) {
    this.#deps = deps;
    this.#subscription = deps.recorder.onEvent(event => this.#hear(event));
  }

  status(): ProxyStatus {
    const { caFile, bundleFile } = authorityFiles(this.#deps.caDirectory);
    return {
      state: this.#port !== null ? 'listening' : this.#error === null ? 'stopped' : 'failed',
      host: loopback,
      port: this.#port,
      caFile,
      bundleFile,
      exchanges: this.#exchanges,
      openConnections: this.#open,
      uncaptured: this.#uncaptured,
      error: this.#error,
    };
  }

  openConnections(): number {
    return this.#open;
  }

  onChange(listener: (status: ProxyStatus) => void): Disposable {
    return this.#changes.on(listener);
  }

  async start(port: number): Promise<ProxyStatus> {
    if (this.#disposed) throw stopped();
    this.#listening ??= this.#listen(port);
    try {
      await this.#listening;
    } catch (error) {
      this.#listening = null;
      this.#error = CoachError.from(error).message;
      throw error;
    } finally {
      this.#changed();
    }
    return this.status();
  }

  async open(spec: LaunchSpec): Promise<ProxyLaunch> {
    const authority = await this.#listening;
    if (authority === null || this.#port === null) throw stopped();
    const overrides = [...spec.overrides, ...(this.#deps.overrides ?? [])];
    await authority.permit([spec.defaultHost, ...overrides.map(override => override.host)].map(canonicalHost));
    const state = new LaunchState({ ...spec, overrides });
    this.#launches.add(state);
    this.#deps.recorder.hide(state.token);
    if (spec.realKey !== null) this.#deps.recorder.hide(spec.realKey);
    return this.#toLaunch(state, authority, this.#port);
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#subscription.dispose();
    await this.#listening?.catch(() => undefined);
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...this.#listeners].map(listener => this.#close(listener)));
    this.#port = null;
    this.#changed();
  }

  async #listen(port: number): Promise<Authority> {
    const authority = await openAuthority(this.#deps.caDirectory, modelHosts, this.#deps.env);
    const server = this.#serve(authority, null);
    await listenOn(server, { host: loopback, port }).catch(async (error: NodeJS.ErrnoException) => {
      throw error.code === 'EADDRINUSE' ? await portInUse(port, error) : error;
    });
    this.#listeners.add(server);
    this.#port = (server.address() as AddressInfo).port;
    this.#error = null;
    this.#deps.log.info('Proxy listening.', { host: loopback, port: this.#port });
    return authority;
  }

  #serve(authority: Authority, own: LaunchState | null): Server {
    const deps: ConnectionDeps = {
      authority,
      intercepted: this.#intercepted,
      launches: this.#launches,
      recorder: this.#deps.recorder,
      log: this.#deps.log,
      env: this.#deps.env,
      port: () => this.#port,
      count: change => {
        this.#open += change;
        this.#changed();
      },
    };
    return createServer({ allowHalfOpen: true, noDelay: true }, socket => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      void serveConnection(socket, own, deps);
    });
  }

  #toLaunch(state: LaunchState, authority: Authority, port: number): ProxyLaunch {
    const { token } = state;
    const { caFile, bundleFile } = authority;
    const launch: Launch = {
      token,
      env: launchEnvironment({ token, port, caFile, bundleFile }),
      baseUrl: `http://${loopback}:${port}/${token}/v1`,
      port,
    };
    const sockets = new Set<Server>();
    return {
      id: state.id,
      launch,
      listen: async path => {
        const server = this.#serve(authority, state);
        await rm(path, { force: true });
        await listenOn(server, { path });
        // Its directory keeps others away; inside a sandbox the agent runs under another user.
        await chmod(path, 0o666);
        this.#listeners.add(server);
        sockets.add(server);
        return { dispose: () => void this.#close(server) };
      },
      meter: () => state.meter(),
      sessionIds: () => state.sessionIds,
      onUsage: listener => state.changed.on(listener),
      abort: () => state.abort(),
      settled: () => this.#settled(state),
      dispose: async () => {
        this.#launches.remove(state);
        state.abort();
        await Promise.all([...sockets].map(server => this.#close(server)));
        await this.#deps.recorder.flush();
      },
    };
  }

  async #settled(state: LaunchState): Promise<void> {
    for (const until = Date.now() + settleMs; state.connections > 0 && Date.now() < until; ) {
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    await this.#deps.recorder.flush();
  }

  #close(listener: Server): Promise<void> {
    this.#listeners.delete(listener);
    return new Promise(resolve => listener.close(() => resolve()));
  }

  #hear(event: RecorderEvent): void {
    if (event.kind === 'uncaptured') this.#uncaptured++;
    else if (event.kind === 'exchange') this.#exchanges++;
    if ('launchId' in event && event.launchId !== null) this.#launches.withId(event.launchId)?.hear(event);
    if (event.kind !== 'streaming') this.#changed();
  }

  #changed(): void {
    this.#changes.fire(this.status());
  }
}

function stopped(): CoachError {
  return new CoachError('proxy.stopped', 'The recording proxy is not running.', {
    hint: 'Start it with: codex-coach proxy start',
  });
}

function listenOn(server: Server, place: { host: string; port: number } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(place, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

async function portInUse(port: number, cause: unknown): Promise<CoachError> {
  const owner = (await isCodexCoach(port)) ? 'another Codex Coach' : 'another program';
  return new CoachError('proxy.portInUse', `Port ${port} is taken by ${owner}.`, {
    cause,
    hint: 'Choose another port with PROXY_PORT (0 takes any free one), or stop that program.',
  });
}

function isCodexCoach(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const request = get({ host: loopback, port, path: '/health', timeout: 1000 }, response => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk.slice(0, 1000);
      });
      response.on('end', () => resolve(text.includes('"codex-coach"')));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
