import type { BudgetLimit, BudgetUse, ProxyStatus } from './proxy.ts';

/** Stands in what an agent is told whose request a budget kept from its model, and in what is recorded of it. */
export const stoppedByBudget = 'Codex Coach stopped this request.';

/** A limit that is near or reached, in one sentence. */
export function budgetSentence({ scope, id, unit, used, limit, deleted = 0 }: BudgetUse): string {
  const what = scope === 'day' ? `This day (${id}, UTC)` : scope === 'session' ? `Session ${id}` : 'This launch';
  const amount = amountOf(unit, limit);
  const gone = deleted > 0 ? `, ${amount(deleted)} of it in sessions that were deleted since` : '';
  return `${what} has used ${amount(used)} of its ${amount(limit)}${nounOf(unit)}${gone}.`;
}

/** A limit in force, in one sentence. */
export function limitSentence({ scope, unit, limit, used }: BudgetLimit): string {
  const amount = amountOf(unit, limit);
  const whole = `${amount(limit)}${nounOf(unit)}`;
  if (scope === 'session') return `Each session may use ${whole}.`;
  return `This day (UTC) may use ${whole}${used === null ? '' : ` and has used ${amount(used)} of it`}.`;
}

/** Limits in force that are not told as near or reached already. */
export function otherLimits({ budgets, limits = [] }: Pick<ProxyStatus, 'budgets' | 'limits'>): BudgetLimit[] {
  const told = new Set(budgets.filter(({ scope }) => scope === 'day').map(({ unit }) => unit));
  return limits.filter(({ scope, unit }) => scope === 'session' || !told.has(unit));
}

function amountOf(unit: BudgetUse['unit'], limit: number): (value: number) => string {
  const decimals = limit < 1 ? 4 : 2;
  return value => (unit === 'usd' ? `$${value.toFixed(decimals)}` : value.toLocaleString('en-US'));
}

function nounOf(unit: BudgetUse['unit']): string {
  return unit === 'tokens' ? ' tokens' : '';
}
