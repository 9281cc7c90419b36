import { chmod, rm } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { CoachError } from '../../protocol/errors.ts';
import type { Launch, ProxyStatus, RecordingFault, UpstreamOverride } from '../../protocol/proxy.ts';
import { delay } from '../base/clock.ts';
import type { Disposable } from '../base/disposable.ts';
import { Emitter } from '../base/emitter.ts';
import type { Log } from '../base/log.ts';
import type { Recorder } from '../traces/recorder/recorder.ts';
import type { RecorderEvent } from '../traces/recorder/recorderMessages.ts';
import type { TraceStore } from '../traces/store.ts';
import { BudgetGuard, type BudgetLimits, noLimits, type SpendingStore } from './budget/budget.ts';
import { LossesOfDay } from './budget/lossesOfDay.ts';
import { authorityFiles } from './certificates/authorityFiles.ts';
import { DistrustingPrograms } from './certificates/distrust.ts';
import type { ConnectionDeps } from './connections/connectionDeps.ts';
import type { Serving } from './connections/serving.ts';
import { canonicalHost, ModelHosts, modelEndpoint } from './hosts.ts';
import { launchEnvironment } from './launches/launchEnvironment.ts';
import { LaunchRegistry, LaunchState, overrideOf } from './launches/launches.ts';
import { LaunchStore, toSpec } from './launches/launchStore.ts';
import { awaitedElsewhere, whenFree } from './listening/awaitedPort.ts';
import { Listeners } from './listening/listeners.ts';
import { listenOn, listenOnLoopback, loopback } from './listening/listening.ts';
import { type LaunchSpec, type ProxyLaunch, type ProxyService, proxyStopped } from './proxy.ts';
import { type AddressPolicy, toAddressPolicy } from './upstream/addressPolicy.ts';
import { ModelReach } from './upstream/unreached.ts';

/** How long `settled` waits for connections that the agent's end should have closed, and for what keeps from storing. */
const settleMs = 2000;
const lookMs = 10;

export interface ProxyDeps {
  /** Directory of the certificate authority: `coachPaths().ca`. */
  readonly caDirectory: string;
  readonly recorder: Recorder;
  readonly log: Log;
  /** For the certificates that this machine trusts (SSL_CERT_FILE). */
  readonly env: NodeJS.ProcessEnv;
  /** The user's own upstreams; those of a launch come before them. */
  readonly overrides?: readonly UpstreamOverride[];
  /** What is recorded; by default the model hosts that we know. */
  readonly hosts?: ModelHosts;
  /** Where other traffic may go; by default to public addresses. */
  readonly policy?: AddressPolicy;
  /** Where launches outlive this process: `coachPaths().launches`. */
  readonly launchFile: string;
  /** What earlier traffic has used. */
  readonly store: SpendingStore & Pick<TraceStore, 'exchangesOfLaunch' | 'lossesOnDay'>;
  /** What traffic may use; by default without limit. */
  readonly budgets?: BudgetLimits;
}

/** The recording proxy; it owns neither the recorder nor the log. */
export function createProxy(deps: ProxyDeps): ProxyService {
  return new CaptureProxy(deps);
}

class CaptureProxy implements ProxyService {
  readonly #deps: ProxyDeps;
  readonly #launches = new LaunchRegistry((launch, token) => this.#takeUp(launch, token));
  readonly #kept: LaunchStore;
  readonly #budgets: BudgetGuard;
  readonly #losses: LossesOfDay;
  readonly #distrusting: DistrustingPrograms;
  readonly #reach: ModelReach;
  readonly #hosts: ModelHosts;
  readonly #policy: AddressPolicy;
  readonly #changes = new Emitter<ProxyStatus>();
  readonly #listeners = new Listeners();
  readonly #subscription: Disposable;
  #listening: Promise<Serving> | null = null;
  #serving: Serving | null = null;
  #port: number | null = null;
  #error: string | null = null;
  /** Takes no new agents, and the file of kept launches is no longer ours. */
  readonly #ended = new AbortController();
  #open = 0;
  #exchanges = 0;
  #uncaptured = 0;
  #fault: RecordingFault | null = null;

  constructor(deps: ProxyDeps) {
    this.#deps = deps;
    this.#kept = new LaunchStore(deps.launchFile, deps.log);
    this.#budgets = new BudgetGuard(deps.budgets ?? noLimits, deps.store, deps.log);
    this.#losses = new LossesOfDay(deps.store);
    this.#reach = new ModelReach(deps.log);
    this.#distrusting = new DistrustingPrograms(deps.log, authorityFiles(deps.caDirectory).bundleFile);
    // Known before the first connection is taken: an agent that is refused once may give up.
    for (const kept of this.#kept.launches) this.#launches.add(new LaunchState(toSpec(kept), kept));
    this.#hosts = deps.hosts ?? new ModelHosts();
    this.#policy = deps.policy ?? toAddressPolicy('');
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
      budgets: this.#budgets.uses(),
      limits: this.#budgets.inForce(),
      uncounted: this.#budgets.uncounted(),
      lossesToday: this.#losses.today(),
      recordingFault: this.#fault,
      distrusting: this.#distrusting.list(),
      unreached: this.#reach.list(),
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
    if (this.#ended.signal.aborted) throw proxyStopped();
    const awaited = port === 0 && this.#kept.launches.length > 0 ? this.#kept.awaitedPort : null;
    this.#listening ??= this.#listen(awaited ?? port);
    const listening = this.#listening;
    try {
      await listening;
    } catch (cause) {
      const error = awaited === null ? cause : awaitedElsewhere(awaited, cause);
      if (this.#listening === listening) this.#listening = null;
      this.#error = CoachError.from(error).message;
      throw error;
    } finally {
      this.#changed();
    }
    return this.status();
  }

  async resume(): Promise<void> {
    const port = this.#kept.awaitedPort;
    if (port === null) return;
    if (this.#kept.launches.length > 0) this.#deps.recorder.prepare();
    try {
      await this.#resumeOn(port);
    } catch (error) {
      this.#deps.log.warn('Agents of an earlier server find no proxy while it can’t listen there.', { port, error });
      const isAwaited = () => this.#port === null && this.#kept.launches.length > 0;
      void whenFree(port, { isAwaited, signal: this.#ended.signal }, () => this.#resumeOn(port));
    }
  }

  async #resumeOn(port: number): Promise<void> {
    await this.start(port);
    this.#deps.log.info('Proxy resumed.', { port: this.#port, launches: this.#kept.launches.length });
  }

  async open(spec: LaunchSpec): Promise<ProxyLaunch> {
    const serving = await this.#listening;
    if (serving === null || this.#port === null) throw proxyStopped();
    this.#deps.recorder.prepare();
    await serving.authority.permit(this.#namesOf(spec));
    const state = new LaunchState(spec);
    const token = state.token ?? '';
    this.#launches.add(state);
    this.#deps.recorder.hideToken(token);
    if (spec.realKey !== null) this.#deps.recorder.hide(spec.realKey);
    await this.#kept.use(state);
    return this.#toLaunch(state, token, this.#port);
  }

  find(token: string): ProxyLaunch | null {
    const state = this.#launches.withToken(token);
    if (state === null || !state.spec.kept) return null;
    // It can be closed also while the proxy can't listen where it was told.
    return this.#toLaunch(state, token, this.#port ?? this.#kept.awaitedPort ?? 0);
  }

  giveWay(): void {
    this.#ended.abort();
    this.#listeners.leavePorts();
  }

  async dispose(): Promise<void> {
    this.#ended.abort();
    this.#subscription.dispose();
    await this.#listening?.catch(() => undefined);
    const atWork = this.#launches.atWork();
    await this.#listeners.dispose();
    if (this.#port !== null || this.#error !== null) await this.#kept.ended(atWork);
    this.#port = null;
    this.#changed();
  }

  async #listen(port: number): Promise<Serving> {
    const overridden = (this.#deps.overrides ?? []).map(override => canonicalHost(override.host));
    const ofLaunches = this.#kept.launches.flatMap(kept => this.#namesOf(toSpec(kept)));
    const permitted = [...this.#hosts.names, ...overridden, ...ofLaunches];
    const { openServing } = await import('./connections/serving.ts');
    const upstream = { env: this.#deps.env, policy: this.#policy, ownPort: () => this.#port };
    const serving = await openServing(this.#deps.caDirectory, permitted, upstream);
    const server = this.#serve(serving, null);
    await listenOnLoopback(server, port);
    this.#serving = serving;
    this.#listeners.add(server);
    this.#port = (server.address() as AddressInfo).port;
    this.#error = null;
    await this.#kept.listening(this.#port);
    this.#deps.log.info('Proxy listening.', { host: loopback, port: this.#port });
    return serving;
  }

  #serve({ authority, upstreams, serveConnection }: Serving, own: LaunchState | null): Server {
    const deps: ConnectionDeps = {
      authority,
      hosts: this.#hosts,
      policy: this.#policy,
      upstreams,
      launches: this.#launches,
      overrideFor: (launch, host) => launch?.overrideOf(host) ?? overrideOf(host, this.#deps.overrides ?? []),
      budgets: this.#budgets,
      tried: (host, launch, failure) => {
        launch?.unreached.tried(host, failure);
        if (this.#reach.tried(host, failure)) this.#changed();
      },
      trust: (host, program, sign) => {
        if (this.#distrusting.notice(host, program, sign)) this.#changed();
      },
      recorder: this.#deps.recorder,
      log: this.#deps.log,
      port: () => this.#port,
      count: change => {
        this.#open += change;
        this.#changed();
      },
    };
    return this.#listeners.create(socket => void serveConnection(socket, own, deps));
  }

  /** Names that our certificates must be valid for, for this launch. */
  #namesOf(spec: LaunchSpec): string[] {
    const { scheme, host } = modelEndpoint(spec.defaultHost);
    const overridden = spec.overrides.map(override => canonicalHost(override.host));
    return scheme === 'https' ? [host, ...overridden] : overridden;
  }

  /** A launch of an earlier server was used. */
  #takeUp(state: LaunchState, token: string): void {
    this.#deps.recorder.hide(token);
    const recorded = this.#deps.store.exchangesOfLaunch(state.id);
    state.resume(token, recorded);
    const latest = recorded.at(-1);
    if (latest !== undefined) this.#budgets.resume(state, latest);
    void this.#kept.use(state);
  }

  #toLaunch(state: LaunchState, token: string, port: number): ProxyLaunch {
    const { bundleFile } = authorityFiles(this.#deps.caDirectory);
    const launch: Launch = {
      token,
      env: launchEnvironment({ token, port, bundleFile }),
      baseUrl: `http://${loopback}:${port}/${token}/v1`,
      port,
    };
    const sockets = new Set<Server>();
    return {
      id: state.id,
      launch,
      listen: async path => {
        if (this.#serving === null) throw proxyStopped();
        const server = this.#serve(this.#serving, state);
        await rm(path, { force: true });
        await listenOn(server, { path });
        // Its directory keeps others away; inside a sandbox the agent runs under another user.
        await chmod(path, 0o666);
        this.#listeners.add(server);
        sockets.add(server);
        return { dispose: () => void this.#listeners.close(server) };
      },
      meter: () => state.meter(),
      refusal: () => state.refusal,
      sessionIds: () => state.sessionIds,
      unreached: () => state.unreached.list(),
      onUsage: listener => state.changed.on(listener),
      abort: () => state.abort(),
      settled: () => this.#settled(state),
      dispose: async () => {
        this.#launches.refuse(state);
        await this.#kept.forget(state.id);
        state.abort();
        await Promise.all([...sockets].map(server => this.#listeners.close(server)));
        // What was cut off is recorded now, and belongs to it, too.
        await this.#drained(state);
        this.#launches.remove(state);
        this.#deps.recorder.endToken(token);
      },
    };
  }

  async #settled(state: LaunchState): Promise<void> {
    await this.#drained(state);
    if (this.#isStoring()) return;
    // Such as for another program's lock: what waits is stored when that is over.
    await soon(() => this.#isStoring());
    await this.#deps.recorder.flush();
  }

  async #drained(state: LaunchState): Promise<void> {
    await soon(() => state.connections === 0);
    await this.#deps.recorder.flush();
  }

  #isStoring(): boolean {
    return this.#fault === null || this.#fault.over;
  }

  #hear(event: RecorderEvent): void {
    if (event.kind === 'uncaptured') {
      this.#uncaptured += event.count ?? 1;
      this.#losses.add(event.host, event.reason, event.count ?? 1);
    } else if (event.kind === 'storage') {
      const { fault, reason, over } = event;
      this.#fault = { fault, reason, over };
    } else if (event.kind === 'exchange') this.#exchanges++;
    const launch = 'launchId' in event && event.launchId !== null ? this.#launches.withId(event.launchId) : null;
    launch?.hear(event);
    if (event.kind === 'exchange') {
      this.#budgets.spent(launch, event);
      if (launch !== null && !this.#ended.signal.aborted && this.#launches.accepts(launch)) void this.#kept.use(launch);
    }
    if (event.kind !== 'streaming') this.#changed();
  }

  #changed(): void {
    this.#changes.fire(this.status());
  }
}

/** Waits a while for something. Counted in looks: a machine that stands still sees nothing happen meanwhile. */
async function soon(isSo: () => boolean): Promise<void> {
  for (let looks = settleMs / lookMs; !isSo() && looks > 0; looks--) {
    await delay(lookMs);
  }
}
