import { createHash, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { UpstreamOverride } from '../../../protocol/proxy.ts';
import type { Exchange } from '../../../protocol/sessions.ts';
import { addUsage, noUsage, type Usage } from '../../../protocol/usage.ts';
import { Emitter } from '../../base/emitter.ts';
import type { LaunchOrigin, RecorderEvent } from '../../traces/recorder/recorderMessages.ts';
import { canonicalHost } from '../hosts.ts';
import type { FailedAttempts, LaunchMeter, LaunchSpec } from '../proxy.ts';
import { UnreachedHosts } from '../upstream/unreached.ts';
import type { KeptLaunch } from './launchStore.ts';

/** Rule of thumb for a reply whose usage is not reported yet. */
const charactersPerToken = 4;

/** A registered launch: what its traffic may do, which connections it holds, what it has used. */
export class LaunchState {
  readonly id: string;
  readonly digest: string;
  readonly spec: LaunchSpec;
  readonly changed = new Emitter<void>();
  readonly unreached = new UnreachedHosts();
  readonly #sockets = new Set<Duplex>();
  readonly #streaming = new Map<number, number>();
  readonly #sessionIds = new Set<string>();
  #token: string | null;
  #usage: Usage = noUsage;
  #costUsd = 0;
  #exchanges = 0;
  #refusal: string | null = null;
  #failures: FailedAttempts = { count: 0, last: null };

  /** `kept`: the launch of an earlier server, whose token only its agent still knows. */
  constructor(spec: LaunchSpec, kept: KeptLaunch | null = null) {
    this.spec = spec;
    this.id = kept?.id ?? randomBytes(8).toString('hex');
    this.#token = kept === null ? randomBytes(24).toString('base64url') : null;
    this.digest = kept?.digest ?? digestOf(this.#token ?? '');
  }

  /** Null until the agent of a kept launch has shown it. */
  get token(): string | null {
    return this.#token;
  }

  get origin(): LaunchOrigin {
    const { agent, label, trialId, replay, directory = null } = this.spec;
    return { id: this.id, agent, label, trialId, replay, directory };
  }

  get sessionIds(): readonly string[] {
    return [...this.#sessionIds];
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Hosts of the agent's model API. */
  get apiHosts(): ReadonlySet<string> {
    return new Set([this.spec.defaultHost, ...(this.spec.apiHosts ?? [])].map(canonicalHost));
  }

  /** Money spent where it is known, in USD. */
  get costUsd(): number {
    return this.#costUsd;
  }

  /** Our words, once a request of this launch was kept from its model for want of budget. */
  get refusal(): string | null {
    return this.#refusal;
  }

  overrideOf(host: string): UpstreamOverride | null {
    return overrideOf(host, this.spec.overrides);
  }

  hold(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  abort(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  refuse(words: string): void {
    this.#refusal ??= words;
  }

  /** Takes up a launch of an earlier server: its token, and what was recorded under it. */
  resume(token: string, recorded: readonly Exchange[]): void {
    this.#token = token;
    for (const { usage, cost, sessionId, error } of recorded) this.#count(usage, cost.amountUsd, sessionId, error);
  }

  hear(event: RecorderEvent): void {
    if (event.kind === 'exchange') this.#count(event.usage, event.cost.amountUsd, event.sessionId, event.failure);
    else if (event.kind === 'streaming') {
      if (event.characters === 0) this.#streaming.delete(event.connection);
      else this.#streaming.set(event.connection, event.characters);
    } else return;
    this.changed.fire();
  }

  /** A request that never reached its model: nothing of it is recorded. */
  fail(why: string): void {
    this.#failures = { count: this.#failures.count + 1, last: why };
    this.changed.fire();
  }

  meter(): LaunchMeter {
    const characters = [...this.#streaming.values()].reduce((sum, count) => sum + count, 0);
    return {
      usage: this.#usage,
      streamingTokens: Math.ceil(characters / charactersPerToken),
      exchanges: this.#exchanges,
      failures: this.#failures,
    };
  }

  #count(usage: Usage, costUsd: number | null, sessionId: string, failure: string | null): void {
    this.#failures = failure === null ? { count: 0, last: null } : { count: this.#failures.count + 1, last: failure };
    this.#usage = addUsage(this.#usage, usage);
    this.#costUsd += costUsd ?? 0;
    this.#exchanges++;
    this.#sessionIds.add(sessionId);
  }
}

export function overrideOf(host: string, overrides: readonly UpstreamOverride[]): UpstreamOverride | null {
  return overrides.find(override => canonicalHost(override.host) === host) ?? null;
}

/** Launches by their token. Looked up by its hash, so that the time of a look-up tells nothing about tokens. */
export class LaunchRegistry {
  readonly #byDigest = new Map<string, LaunchState>();
  readonly #byId = new Map<string, LaunchState>();
  readonly #onResumed: (launch: LaunchState, token: string) => void;

  /** `onResumed` is called when the token of a kept launch is shown for the first time. */
  constructor(onResumed: (launch: LaunchState, token: string) => void) {
    this.#onResumed = onResumed;
  }

  add(launch: LaunchState): void {
    this.#byDigest.set(launch.digest, launch);
    this.#byId.set(launch.id, launch);
  }

  /** Its token is no longer known; what is still recorded of it finds it by its id. */
  refuse(launch: LaunchState): void {
    this.#byDigest.delete(launch.digest);
  }

  accepts(launch: LaunchState): boolean {
    return this.#byDigest.has(launch.digest);
  }

  remove(launch: LaunchState): void {
    this.refuse(launch);
    this.#byId.delete(launch.id);
  }

  withToken(token: string): LaunchState | null {
    const launch = this.#byDigest.get(digestOf(token)) ?? null;
    if (launch !== null && launch.token === null) this.#onResumed(launch, token);
    return launch;
  }

  /** Launches with open connections. */
  atWork(): ReadonlySet<string> {
    return new Set([...this.#byId.values()].filter(({ connections }) => connections > 0).map(({ id }) => id));
  }

  withId(id: string): LaunchState | null {
    return this.#byId.get(id) ?? null;
  }
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
