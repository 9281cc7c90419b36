import { expect, it } from 'vitest';
import { silentLog } from '../../../../server/base/log.ts';
import { BudgetGuard, type BudgetLimits, dayOf } from '../../../../server/proxy/budget/budget.ts';

const unlimited = { tokens: null, usd: null };

/** A guard that was asked nothing yet, on a day on which so much was used. */
function aGuard(limits: Partial<BudgetLimits>, spentOnDay: () => { tokens: number; usd: number }) {
  let looks = 0;
  const store = {
    spentInSession: () => ({ tokens: 0, usd: 0 }),
    spentOnDay: () => {
      looks++;
      return spentOnDay();
    },
    deletedOnDay: () => ({ tokens: 0, usd: 0 }),
    userAgent: () => null,
    exchange: () => null,
  };
  const all = { session: unlimited, day: unlimited, warnShare: 0.8, idleMs: 1000, ...limits };
  return { guard: new BudgetGuard(all, store, silentLog), looks: () => looks };
}

it('knows without any request what an earlier server has used of the day, and looks once', () => {
  const { guard, looks } = aGuard({ day: { tokens: 4000, usd: 9 } }, () => ({ tokens: 4620, usd: 2 }));
  for (const _ of [1, 2]) {
    expect(guard.uses()).toMatchObject([
      { scope: 'day', id: dayOf(Date.now()), unit: 'tokens', used: 4620, limit: 4000, state: 'spent' },
    ]);
    expect(guard.inForce()).toEqual([
      { scope: 'day', unit: 'tokens', limit: 4000, used: 4620 },
      { scope: 'day', unit: 'usd', limit: 9, used: 2 },
    ]);
  }
  expect(looks()).toBe(1);
});

it('keeps what it tells of the day up to date', () => {
  let tokens = 10;
  const { guard } = aGuard({ day: { tokens: 4000, usd: null } }, () => ({ tokens, usd: 0 }));
  expect(guard.inForce()).toMatchObject([{ used: 10 }]);
  expect(guard.uses()).toEqual([]);
  tokens = 3900;
  expect(guard.refusal(null, { sessionId: 's', userAgent: null, host: 'api.test' })).toBeNull();
  expect(guard.inForce()).toMatchObject([{ used: 3900 }]);
  expect(guard.uses()).toMatchObject([{ used: 3900, state: 'near' }]);
});

it('names limits of sessions, looks at nothing where the day has none, and tells them where it can not look', () => {
  const failing = () => {
    throw new Error('disk I/O error');
  };
  const ofSessions = aGuard({ session: { tokens: null, usd: 5 } }, failing);
  expect(ofSessions.guard.inForce()).toEqual([{ scope: 'session', unit: 'usd', limit: 5, used: null }]);
  expect(ofSessions.looks()).toBe(0);
  const ofDay = aGuard({ day: { tokens: 1000, usd: null } }, failing);
  expect(ofDay.guard.inForce()).toEqual([{ scope: 'day', unit: 'tokens', limit: 1000, used: null }]);
  expect(ofDay.guard.uses()).toEqual([]);
});
