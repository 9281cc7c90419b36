import { totalTokens, type Usage } from '../../protocol/usage.ts';
import type { AgentEvent } from '../agents/agent.ts';
import type { Clock } from '../base/clock.ts';

/** Why an agent had to end. */
export type LimitReached =
  | { readonly kind: 'timedOut' }
  | { readonly kind: 'budgetSpent'; readonly tokens: number }
  | { readonly kind: 'stalled'; readonly idleMs: number };

export interface AgentLimits {
  readonly timeoutMs: number;
  /** Input + output tokens; null is no limit. */
  readonly maxTokens: number | null;
  /** Longest time without a model reply after the agent has reported that it can't reach its model. */
  readonly unreachableMs: number;
  /** Longest time without any sign of life: no output, no tokens. */
  readonly idleMs: number;
}

/** What the agent has used: reported by its model, and estimated for replies still streaming. */
export type Meter = () => { readonly usage: Usage; readonly streamingTokens: number };

const lookEveryMs = 250;

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
    if (event.kind === 'error') this.#unreachableSince ??= this.#aliveAt;
  }

  /** Looks now, besides the regular looks: to be called when usage was reported. */
  look(): void {
    const now = this.#clock.now();
    const { usage, streamingTokens } = this.#meter();
    const tokens = (totalTokens(usage) ?? 0) + streamingTokens;
    if (tokens !== this.#tokens) {
      this.#tokens = tokens;
      this.#aliveAt = now;
      this.#unreachableSince = null;
      this.#heardModel = true;
    }
    const { timeoutMs, maxTokens, unreachableMs, idleMs } = this.#limits;
    if (now - this.#startedAt >= timeoutMs) this.#reach({ kind: 'timedOut' });
    else if (maxTokens !== null && tokens >= maxTokens) this.#reach({ kind: 'budgetSpent', tokens });
    else if (this.#unreachableSince !== null && now - this.#unreachableSince >= unreachableMs) {
      this.#reach({ kind: 'stalled', idleMs: now - this.#unreachableSince });
    } else if (now - this.#aliveAt >= idleMs) this.#reach({ kind: 'stalled', idleMs: now - this.#aliveAt });
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
