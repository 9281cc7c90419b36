import { expect, it } from 'vitest';
import { budgetSentence, limitSentence, otherLimits } from '../../../protocol/budgets.ts';
import type { BudgetUse } from '../../../protocol/proxy.ts';

const day: BudgetUse = { scope: 'day', id: '2026-11-23', unit: 'usd', used: 8.34, limit: 0.21, state: 'spent' };

it('tells both amounts of a limit alike', () => {
  expect(budgetSentence(day)).toBe('This day (2026-11-23, UTC) has used $8.3400 of its $0.2100.');
  expect(budgetSentence({ ...day, used: 0.95, limit: 1 })).toContain('has used $0.95 of its $1.00.');
});

it('tells what was used in sessions that are no longer there', () => {
  expect(budgetSentence({ ...day, limit: 8, deleted: 8.08 })).toBe(
    'This day (2026-11-23, UTC) has used $8.34 of its $8.00, $8.08 of it in sessions that were deleted since.',
  );
  expect(budgetSentence({ ...day, unit: 'tokens', used: 1050, limit: 1000, deleted: 50 })).toBe(
    'This day (2026-11-23, UTC) has used 1,050 of its 1,000 tokens, 50 of it in sessions that were deleted since.',
  );
  expect(budgetSentence({ ...day, deleted: 0 })).not.toContain('deleted');
});

it('tells limits that are in force, with what the day has used', () => {
  const usd = { scope: 'day', unit: 'usd', limit: 5, used: 1.5 } as const;
  const tokens = { scope: 'session', unit: 'tokens', limit: 20_000, used: null } as const;
  expect(limitSentence(usd)).toBe('This day (UTC) may use $5.00 and has used $1.50 of it.');
  expect(limitSentence({ ...usd, used: null })).toBe('This day (UTC) may use $5.00.');
  expect(limitSentence(tokens)).toBe('Each session may use 20,000 tokens.');
  expect(otherLimits({ budgets: [day], limits: [usd, tokens] })).toEqual([tokens]);
  expect(otherLimits({ budgets: [] })).toEqual([]);
});
