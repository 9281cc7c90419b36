import type { BudgetUse } from './proxy.ts';

/** Stands in what an agent is told whose request a budget kept from its model, and in what is recorded of it. */
export const stoppedByBudget = 'Codex Coach stopped this request.';

/** A limit that is near or reached, in one sentence. */
export function budgetSentence({ scope, id, unit, used, limit, deleted = 0 }: BudgetUse): string {
  const what = scope === 'day' ? `This day (${id}, UTC)` : scope === 'session' ? `Session ${id}` : 'This launch';
  const decimals = limit < 1 ? 4 : 2;
  const amount = (value: number) => (unit === 'usd' ? `$${value.toFixed(decimals)}` : value.toLocaleString('en-US'));
  const gone = deleted > 0 ? `, ${amount(deleted)} of it in sessions that were deleted since` : '';
  return `${what} has used ${amount(used)} of its ${amount(limit)}${unit === 'tokens' ? ' tokens' : ''}${gone}.`;
}
