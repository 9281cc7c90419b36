import type { BudgetUse } from './proxy.ts';

/** Stands in what an agent is told whose request a budget kept from its model, and in what is recorded of it. */
export const stoppedByBudget = 'Codex Coach stopped this request.';

/** A limit that is near or reached, in one sentence. */
export function budgetSentence({ scope, id, unit, used, limit }: BudgetUse): string {
  const what = scope === 'day' ? `This day (${id}, UTC)` : scope === 'session' ? `Session ${id}` : 'This launch';
  const money = (value: number) => `$${value.toFixed(value < 1 ? 4 : 2)}`;
  const amount = (value: number) => (unit === 'usd' ? money(value) : value.toLocaleString('en-US'));
  return `${what} has used ${amount(used)} of its ${amount(limit)}${unit === 'tokens' ? ' tokens' : ''}.`;
}
