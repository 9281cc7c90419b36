import { budgetSentence, stoppedByBudget } from '../../../protocol/budgets.ts';
import type { Budget, BudgetLimit, BudgetUse, UncountedSpend } from '../../../protocol/proxy.ts';
import { uncountedFixes, uncountedSentence } from '../../../protocol/proxyWarnings.ts';
import type { Exchange } from '../../../protocol/sessions.ts';
import { type Cost, totalTokens, type Usage } from '../../../protocol/usage.ts';
import type { Log } from '../../base/log.ts';
import type { Settings } from '../../base/settings.ts';
import { machineSleep } from '../../base/sleep.ts';
import type { TraceStore } from '../../traces/store.ts';
import type { Spend } from '../../traces/usage/spending.ts';
import type { LaunchState } from '../launches/launches.ts';
import { UnnamedSessions } from './unnamedSessions.ts';

/** What people's sessions, and everything on one UTC day, may use. */
export interface BudgetLimits {
  readonly session: Budget;
  readonly day: Budget;
  /** Share of a limit, in [0,1], from which it counts as near. */
  readonly warnShare: number;
  /** After such a silence a sender that names no session begins another. */
  readonly idleMs: number;
}

const unlimited: Budget = { tokens: null, usd: null };
export const noLimits: BudgetLimits = { session: unlimited, day: unlimited, warnShare: 1, idleMs: 0 };

/** The settings `budget.*`, where 0 is no limit. */
export function toBudgetLimits(settings: Settings): BudgetLimits {
  return {
    session: { tokens: settings.get('budget.sessionTokens') || null, usd: settings.get('budget.sessionUsd') || null },
    day: { tokens: settings.get('budget.dayTokens') || null, usd: settings.get('budget.dayUsd') || null },
    warnShare: settings.get('budget.warnShare'),
    idleMs: settings.get('session.idleSeconds') * 1000,
  };
}

/** What was used before, and by whom. */
export type SpendingStore = Pick<
  TraceStore,
  'spentInSession' | 'spentOnDay' | 'deletedOnDay' | 'userAgent' | 'exchange'
>;

/** Who sends a request. */
export interface Asker {
  /** The session that it names; null when it names none. */
  readonly sessionId: string | null;
  readonly userAgent: string | null;
  /** The model host that it asks. */
  readonly host: string;
}

/** An exchange as far as it counts. */
interface Spent {
  readonly id: string;
  readonly launchId: string | null;
  readonly sessionId: string;
  readonly model: string | null;
  readonly usage: Usage;
  readonly cost: Cost;
  /** Null for success. */
  readonly failure: string | null;
}

/** Uses that are shown at most; the latest stay. */
const maxUses = 20;

/** How to allow more, by what is limited. */
export const budgetWays: Record<BudgetUse['scope'], Record<BudgetUse['unit'], string>> = {
  session: {
    tokens: 'Start a new session, or raise COACH_BUDGET_SESSION_TOKENS (budget.sessionTokens).',
    usd: 'Start a new session, or raise COACH_BUDGET_SESSION_USD (budget.sessionUsd).',
  },
  day: {
    tokens: 'Wait for the next day (UTC), or raise COACH_BUDGET_DAY_TOKENS (budget.dayTokens).',
    usd: 'Wait for the next day (UTC), or raise COACH_BUDGET_DAY_USD (budget.dayUsd).',
  },
  launch: {
    tokens: 'Start it again with a higher limit.',
    usd: 'Start it again with a higher limit.',
  },
};

/**
 * Says whether a request may still go to a model. What was used is asked of the trace store each time: it knows of other
 * days and of servers that are gone, and counts a reply as soon as it is stored.
 */
export class BudgetGuard {
  readonly #limits: BudgetLimits;
  readonly #store: SpendingStore;
  readonly #log: Log;
  readonly #unnamed: UnnamedSessions;
  /** With the day on which each was seen last. */
  readonly #uses = new Map<string, { readonly use: BudgetUse; readonly day: string }>();
  readonly #uncounted = new Map<string, UncountedSpend>();
  /** As last looked at, which is done after each exchange under a limit of the day. */
  #today: { readonly day: string; readonly spend: Spend } | null = null;

  constructor(limits: BudgetLimits, store: SpendingStore, log: Log) {
    this.#limits = limits;
    this.#store = store;
    this.#log = log;
    this.#unnamed = new UnnamedSessions(limits.idleMs, machineSleep());
  }

  /** Whether anything limits this traffic. Where nothing does, its connections need no gate. */
  limits(launch: LaunchState | null): boolean {
    return [this.#limits.day, this.#sessionLimit(launch), launch?.spec.budget].some(isLimited);
  }

  /** Whether it matters here to which session a request belongs. */
  limitsSessions(launch: LaunchState | null): boolean {
    return isLimited(this.#sessionLimit(launch));
  }

  /** Words for the agent when a limit is reached; null when the request may go on. */
  refusal(launch: LaunchState | null, { sessionId, userAgent, host }: Asker): string | null {
    const belongsTo = sessionId ?? this.#unnamed.of(launch?.id ?? userAgent ?? host);
    const spent = this.#look(launch, belongsTo).find(({ state }) => state === 'spent');
    if (spent === undefined) return null;
    const words = `${budgetSentence(spent)} ${stoppedByBudget} ${budgetWays[spent.scope][spent.unit]}`;
    launch?.refuse(words);
    this.#log.warn('A request was stopped by its budget.', { ...spent });
    return words;
  }

  /** Something was spent: notes and logs what is near or reached by it, and what a limit can't count. */
  spent(launch: LaunchState | null, exchange: Spent): void {
    if (!this.limits(launch)) return;
    if (this.limitsSessions(launch))
      this.#unnamed.heard(exchange.sessionId, Date.now(), () => this.#senderOf(exchange));
    this.#look(launch, exchange.sessionId);
    this.#noteUncounted(exchange, this.#limitsMoney(launch));
  }

  /** A launch of an earlier server goes on after this exchange. */
  resume(launch: LaunchState, { sessionId, startedAt, durationMs }: Exchange): void {
    this.#unnamed.heard(sessionId, Date.parse(startedAt) + (durationMs ?? 0), () => launch.id);
  }

  /** Models whose exchanges have no usage, under a limit, or no price, under one in money. */
  uncounted(): UncountedSpend[] {
    return [...this.#uncounted.values()];
  }

  #senderOf({ id, launchId, sessionId }: Spent): string | null {
    return launchId ?? this.#store.userAgent(sessionId) ?? this.#store.exchange(id)?.upstreamHost ?? null;
  }

  #limitsMoney(launch: LaunchState | null): boolean {
    return [this.#limits.day, this.#sessionLimit(launch), launch?.spec.budget].some(budget => budget?.usd != null);
  }

  #noteUncounted(exchange: Spent, isMoney: boolean): void {
    const lacks = lackOf(exchange);
    if (lacks === null || (lacks === 'price' && !isMoney)) return;
    const model = exchange.model ?? 'unknown';
    const key = `${lacks} ${model}`;
    const before = this.#uncounted.get(key);
    if (before === undefined && this.#uncounted.size >= maxUses) return;
    const spend = { model, exchanges: (before?.exchanges ?? 0) + 1, lacks };
    this.#uncounted.set(key, spend);
    if (before === undefined) this.#log.warn(uncountedSentence(spend), { hint: uncountedFixes[lacks] });
  }

  /** What the settings limit, with what this day has used of it. */
  inForce(): BudgetLimit[] {
    const { day, session } = this.#limits;
    const spend = this.#dayAsItIs();
    return [
      ...limitsOf(day).map(each => ({ scope: 'day' as const, ...each, used: spend?.[each.unit] ?? null })),
      ...limitsOf(session).map(each => ({ scope: 'session' as const, ...each, used: null })),
    ];
  }

  /** Looked at once where nothing was asked yet: an earlier server may have used it up. Null where it can't be read. */
  #dayAsItIs(): Spend | null {
    const today = dayOf(Date.now());
    try {
      if (isLimited(this.#limits.day) && this.#today?.day !== today) this.#look(null, null);
    } catch {
      // How the proxy is must be told also where its database can't be read.
    }
    return this.#today?.day === today ? this.#today.spend : null;
  }

  /** Limits that were seen near or reached on this day, the latest last. */
  uses(): BudgetUse[] {
    this.#dayAsItIs();
    const today = dayOf(Date.now());
    const uses = [...this.#uses.values()].filter(({ day }) => day === today).map(({ use }) => use);
    return uses.map(use => (use.scope === 'day' ? { ...use, ...this.#deleted(use) } : use));
  }

  /** Asked when it is told, as sessions may be deleted while nothing is spent. */
  #deleted({ id, unit }: BudgetUse): Pick<BudgetUse, 'deleted'> {
    try {
      return { deleted: this.#store.deletedOnDay(id)[unit] };
    } catch {
      // As above.
      return {};
    }
  }

  #look(launch: LaunchState | null, sessionId: string | null): BudgetUse[] {
    const found: BudgetUse[] = [];
    const add = (scope: BudgetUse['scope'], id: string, budget: Budget, spend: () => Spend) => {
      if (isLimited(budget)) found.push(...this.#compare(scope, id, budget, spend()));
    };
    if (launch !== null) {
      const { usage } = launch.meter();
      const spend = { tokens: totalTokens(usage) ?? 0, usd: launch.costUsd };
      add('launch', launch.id, launch.spec.budget ?? unlimited, () => spend);
    }
    if (sessionId !== null) {
      add('session', sessionId, this.#sessionLimit(launch), () => this.#store.spentInSession(sessionId));
    }
    const today = dayOf(Date.now());
    add('day', today, this.#limits.day, () => {
      this.#today = { day: today, spend: this.#store.spentOnDay(today) };
      return this.#today.spend;
    });
    for (const use of found) this.#note(use);
    return found;
  }

  /** A trial has limits of its own. */
  #sessionLimit(launch: LaunchState | null): Budget {
    return launch !== null && launch.spec.trialId !== null ? unlimited : this.#limits.session;
  }

  #compare(scope: BudgetUse['scope'], id: string, budget: Budget, spend: Spend): BudgetUse[] {
    return limitsOf(budget).flatMap(({ unit, limit }) => {
      const used = spend[unit];
      if (used < limit * this.#limits.warnShare) return [];
      return [{ scope, id, unit, used, limit, state: used >= limit ? 'spent' : 'near' }];
    });
  }

  #note(use: BudgetUse): void {
    const key = `${use.scope} ${use.id} ${use.unit}`;
    if (this.#uses.get(key)?.use.state !== use.state) this.#log.warn(budgetSentence(use));
    this.#uses.delete(key);
    this.#uses.set(key, { use, day: dayOf(Date.now()) });
    const [oldest] = this.#uses.keys();
    if (this.#uses.size > maxUses && oldest !== undefined) this.#uses.delete(oldest);
  }
}

/** Why a limit can't count what an exchange used; null when it can, or when it used nothing. */
function lackOf({ model, usage, cost, failure }: Spent): UncountedSpend['lacks'] | null {
  const tokens = totalTokens(usage);
  if (tokens === null) return failure === null && model !== null && cost.kind !== 'replay' ? 'usage' : null;
  return tokens > 0 && cost.kind === 'unpriced' ? 'price' : null;
}

function isLimited(budget: Budget | null | undefined): boolean {
  return budget != null && (budget.tokens !== null || budget.usd !== null);
}

function limitsOf(budget: Budget): Pick<BudgetLimit, 'unit' | 'limit'>[] {
  return (['tokens', 'usd'] as const).flatMap(unit => {
    const limit = budget[unit];
    return limit === null ? [] : [{ unit, limit }];
  });
}

/** The UTC day of a time, such as `2026-01-31`. */
export function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}
