import { totalTokens } from '../../../protocol/usage.ts';
import type { AgentEvent } from '../../agents/agent.ts';
import type { Clock } from '../../base/clock.ts';
import type { LaunchMeter } from '../../proxy/proxy.ts';
import { LastWords } from './lastWords.ts';

/** Why an agent had to end. */
export type LimitReached =
  | { readonly kind: 'timedOut' }
  | { readonly kind: 'budgetSpent'; readonly tokens: number }
  | { readonly kind: 'stalled'; readonly idleMs: number; readonly waitedFor: string };

export interface AgentLimits {
  readonly timeoutMs: number;
  /** Input + output tokens; null is no limit. */
  readonly maxTokens: number | null;
  /** Longest time without a model reply after the first request that failed, or the agent's word that it can't reach it. */
  readonly unreachableMs: number;
  /** Longest time without any sign of life: no output, no tokens. */
  readonly idleMs: number;
  /** Longest time that a question to a person stands, with no reply of a model: no sandbox has a person. */
  readonly promptMs: number;
}

/** How long an agent that does nothing is waited for. */
export type Patience = Pick<AgentLimits, 'unreachableMs' | 'idleMs' | 'promptMs'>;

/** What the agent has used, as `ProxyLaunch.meter` tells it. */
export type Meter = () => Pick<LaunchMeter, 'usage' | 'streamingTokens' | 'failures'>;

const lookEveryMs = 250;
/** Requests in a row that must fail: one of several at the same time may, while the agent is busy with a long command. */
const minFailures = 3;

/**
 * Watches an agent and says once when a limit is reached. Agents can't be trusted to give up: with a dead upstream Codex
 * retries for ever, and a reply may stream without end before any usage is reported.
 */
export class LimitWatch {
  readonly #limits: AgentLimits;
  readonly #meter: Meter;
  readonly #clock: Clock;
  readonly #onReached: (limit: LimitReached) => void;
  readonly #startedAt: number;
  readonly #timer: NodeJS.Timeout;
  #aliveAt: number;
  #unreachableSince: number | null = null;
  #failures: LaunchMeter['failures'] = { count: 0, last: null };
  #complaint: string | null = null;
  /** Since when the last words are a question. */
  #askedAt: number | null = null;
  readonly #words = new LastWords();
  #tokens = 0;
  #reached = false;
  #heardModel = false;

  /** `startedAt`: when the agent began, for one that goes on with this server. */
  constructor(
    limits: AgentLimits,
    meter: Meter,
    clock: Clock,
    onReached: (limit: LimitReached) => void,
    startedAt: number | null = null,
  ) {
    this.#limits = limits;
    this.#meter = meter;
    this.#clock = clock;
    this.#onReached = onReached;
    this.#startedAt = startedAt ?? clock.now();
    this.#aliveAt = clock.now();
    this.#timer = setInterval(() => this.look(), lookEveryMs);
  }

  /** Tells it what the agent printed. */
  heard(event: AgentEvent): void {
    this.#aliveAt = this.#clock.now();
    if (event.kind !== 'error') return;
    this.#complaint = event.text;
    this.#unreachableSince ??= this.#aliveAt;
  }

  /** Tells it what came on an output, as it came. */
  printed(chunk: Buffer): void {
    this.#words.push(chunk);
    this.#aliveAt = this.#clock.now();
  }

  /** Looks now, besides the regular looks: to be called when usage was reported. */
  look(): void {
    const now = this.#clock.now();
    const { usage, streamingTokens, failures } = this.#meter();
    const tokens = (totalTokens(usage) ?? 0) + streamingTokens;
    if (failures.count > this.#failures.count) this.#unreachableSince ??= now;
    this.#failures = failures;
    if (tokens !== this.#tokens) {
      this.#tokens = tokens;
      this.#aliveAt = now;
      this.#unreachableSince = null;
      this.#complaint = null;
      this.#askedAt = null;
      this.#heardModel = true;
    }
    const { timeoutMs, maxTokens } = this.#limits;
    if (now - this.#startedAt >= timeoutMs) this.#reach({ kind: 'timedOut' });
    else if (maxTokens !== null && tokens >= maxTokens) this.#reach({ kind: 'budgetSpent', tokens });
    else this.#lookForStall(now);
  }

  #lookForStall(now: number): void {
    const { unreachableMs, idleMs, promptMs } = this.#limits;
    const stalled = (since: number, waitedFor: string) =>
      this.#reach({ kind: 'stalled', idleMs: now - since, waitedFor });
    const question = this.#words.question();
    this.#askedAt = question === null ? null : (this.#askedAt ?? now);
    const isCutOff = this.#complaint !== null || this.#failures.count >= minFailures;
    if (isCutOff && this.#unreachableSince !== null && now - this.#unreachableSince >= unreachableMs) {
      stalled(this.#unreachableSince, this.#whyUnreachable());
    } else if (this.#askedAt !== null && now - this.#askedAt >= promptMs) {
      stalled(this.#askedAt, `an answer to ${JSON.stringify(question)}`);
    } else if (now - this.#aliveAt >= idleMs) {
      const last = this.#words.last();
      stalled(this.#aliveAt, last === '' ? 'nothing that it told' : `something after ${JSON.stringify(last)}`);
    }
  }

  #whyUnreachable(): string {
    const { count, last } = this.#failures;
    if (count === 0) return `its model, it said: ${this.#complaint}`;
    const attempts = count === 1 ? 'its last request failed' : `its last ${count} requests failed`;
    return `its model: ${attempts}${last === null ? '' : ` (${last})`}`;
  }

  /** Whether a model has ever answered, as far as tokens tell. */
  get heardModel(): boolean {
    return this.#heardModel;
  }

  dispose(): void {
    clearInterval(this.#timer);
  }

  #reach(limit: LimitReached): void {
    if (this.#reached) return;
    this.#reached = true;
    this.dispose();
    this.#onReached(limit);
  }
}
