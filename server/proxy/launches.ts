import { createHash, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { UpstreamOverride } from '../../protocol/proxy.ts';
import { addUsage, noUsage, type Usage } from '../../protocol/usage.ts';
import { Emitter } from '../base/emitter.ts';
import type { LaunchOrigin, RecorderEvent } from '../traces/recorderMessages.ts';
import { canonicalHost } from './hosts.ts';
import type { LaunchSpec } from './proxy.ts';

/** Rule of thumb for a reply whose usage is not reported yet. */
const charactersPerToken = 4;

/** A registered launch: what its traffic may do, which connections it holds, what it has used. */
export class LaunchState {
  readonly id = randomBytes(8).toString('hex');
  readonly token = randomBytes(24).toString('base64url');
  readonly spec: LaunchSpec;
  readonly changed = new Emitter<void>();
  readonly #sockets = new Set<Duplex>();
  readonly #streaming = new Map<number, number>();
  readonly #sessionIds = new Set<string>();
  #usage: Usage = noUsage;
  #exchanges = 0;

  constructor(spec: LaunchSpec) {
    this.spec = spec;
  }

  get origin(): LaunchOrigin {
    const { agent, label, trialId, replay } = this.spec;
    return { id: this.id, agent, label, trialId, replay };
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

  overrideOf(host: string): UpstreamOverride | null {
    return this.spec.overrides.find(override => canonicalHost(override.host) === host) ?? null;
  }

  hold(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  abort(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  hear(event: RecorderEvent): void {
    if (event.kind === 'exchange') {
      this.#usage = addUsage(this.#usage, event.usage);
      this.#exchanges++;
      this.#sessionIds.add(event.sessionId);
    } else if (event.kind === 'streaming') {
      if (event.characters === 0) this.#streaming.delete(event.connection);
      else this.#streaming.set(event.connection, event.characters);
    } else return;
    this.changed.fire();
  }

  meter(): { usage: Usage; streamingTokens: number; exchanges: number } {
    const characters = [...this.#streaming.values()].reduce((sum, count) => sum + count, 0);
    return {
      usage: this.#usage,
      streamingTokens: Math.ceil(characters / charactersPerToken),
      exchanges: this.#exchanges,
    };
  }
}

/** Launches by their token. Looked up by its hash, so that the time of a look-up tells nothing about tokens. */
export class LaunchRegistry {
  readonly #byDigest = new Map<string, LaunchState>();
  readonly #byId = new Map<string, LaunchState>();

  add(launch: LaunchState): void {
    this.#byDigest.set(digest(launch.token), launch);
    this.#byId.set(launch.id, launch);
  }

  remove(launch: LaunchState): void {
    this.#byDigest.delete(digest(launch.token));
    this.#byId.delete(launch.id);
  }

  withToken(token: string): LaunchState | null {
    return this.#byDigest.get(digest(token)) ?? null;
  }

  withId(id: string): LaunchState | null {
    return this.#byId.get(id) ?? null;
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
