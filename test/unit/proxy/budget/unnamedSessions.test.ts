import { describe, expect, it } from 'vitest';
import type { Budget } from '../../../../protocol/proxy.ts';
import type { Exchange } from '../../../../protocol/sessions.ts';
import { noCost, noUsage } from '../../../../protocol/usage.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { BudgetGuard } from '../../../../server/proxy/budget/budget.ts';
import { UnnamedSessions } from '../../../../server/proxy/budget/unnamedSessions.ts';
import { LaunchState } from '../../../../server/proxy/launches/launches.ts';
import { SessionClock } from '../../../../server/traces/storage/sessionClock.ts';

const idleMs = 120_000;
const sleep = { awakeMs: (from: number, until: number) => until - from };
/** An id as the recorder gives it to who names none. */
const given = () => new SessionClock(idleMs, { latest: () => null, sleep }).at('someone', Date.now(), Date.now());

describe('the session of a request that names none', () => {
  it('is the latest that was given to its sender', () => {
    const sessions = new UnnamedSessions(idleMs, sleep);
    const [first, second] = [given(), given()];
    expect(sessions.of('launch')).toBeNull();
    sessions.heard(first, Date.now(), () => 'launch');
    sessions.heard(second, Date.now(), () => 'other');
    expect(sessions.of('launch')).toBe(first);
    expect(sessions.of('other')).toBe(second);
  });

  it('is none that another request named', () => {
    const sessions = new UnnamedSessions(idleMs, sleep);
    sessions.heard('0199d0a6-named-by-the-agent', Date.now(), () => 'launch');
    expect(sessions.of('launch')).toBeNull();
  });

  it('is a new one after the silence that ends a session', () => {
    const sessions = new UnnamedSessions(idleMs, sleep);
    sessions.heard(given(), Date.now() - idleMs - 1, () => 'launch');
    expect(sessions.of('launch')).toBeNull();
  });
});

describe('a budget of sessions, without a launch', () => {
  const limited: Budget = { tokens: 1000, usd: null };
  const unlimited: Budget = { tokens: null, usd: null };
  const spendOf = new Map<string, number>();
  const store = {
    spentInSession: (id: string) => ({ tokens: spendOf.get(id) ?? 0, usd: 0 }),
    spentOnDay: () => ({ tokens: 0, usd: 0 }),
    deletedOnDay: () => ({ tokens: 0, usd: 0 }),
    userAgent: (id: string) => (id === nameless ? null : 'tool/1'),
    exchange: () => ({ upstreamHost: 'gateway.test' }) as never,
  };
  const named = given();
  const nameless = given();
  const guard = new BudgetGuard({ session: limited, day: unlimited, warnShare: 1, idleMs }, store, silentLog);
  const hear = (sessionId: string) => {
    spendOf.set(sessionId, 1050);
    guard.spent(null, { id: 'x', launchId: null, sessionId, model: 'm', usage: noUsage, cost: noCost, failure: null });
  };
  const ask = (userAgent: string | null, host: string) => guard.refusal(null, { sessionId: null, userAgent, host });

  it('stops the program that has used its own up, and no other', () => {
    expect(ask('tool/1', 'api.test')).toBeNull();
    hear(named);
    for (const _ of [1, 2, 3]) expect(ask('tool/1', 'api.test')).toContain('has used 1,050 of its 1,000 tokens.');
    expect(ask('tool/2', 'api.test')).toBeNull();
  });

  it('knows a program without a name by the host that it asks', () => {
    hear(nameless);
    expect(ask(null, 'gateway.test')).toContain(nameless);
    expect(ask(null, 'other.test')).toBeNull();
  });

  it('stops a launch of an earlier server that goes on where it was', () => {
    const spec = { agent: 'codex', label: null, overrides: [], replay: false, realKey: null, trialId: null };
    const launch = new LaunchState({ ...spec, defaultHost: 'api.test' });
    const asker = { sessionId: null, userAgent: 'tool/3', host: 'api.test' };
    const earlier = given();
    spendOf.set(earlier, 1050);
    expect(guard.refusal(launch, asker)).toBeNull();
    const startedAt = new Date().toISOString();
    guard.resume(launch, { sessionId: earlier, startedAt, durationMs: 10 } as Exchange);
    expect(guard.refusal(launch, asker)).toContain(earlier);
  });
});

it('tells how much of a day was used in what was deleted since, also where that can not be read', () => {
  let deleted = 0;
  const store = {
    spentInSession: () => ({ tokens: 0, usd: 0 }),
    spentOnDay: () => ({ tokens: 1050, usd: 0 }),
    deletedOnDay: () => {
      if (deleted < 0) throw new Error('disk I/O error');
      return { tokens: deleted, usd: 0 };
    },
    userAgent: () => null,
    exchange: () => null,
  };
  const limit: Budget = { tokens: 1000, usd: null };
  const none: Budget = { tokens: null, usd: null };
  const guard = new BudgetGuard({ session: none, day: limit, warnShare: 1, idleMs }, store, silentLog);
  expect(guard.refusal(null, { sessionId: 's', userAgent: null, host: 'api.test' })).not.toBeNull();
  deleted = 1000;
  expect(guard.uses()).toMatchObject([{ scope: 'day', used: 1050, deleted: 1000 }]);
  deleted = -1;
  expect(guard.uses()).toMatchObject([{ scope: 'day', used: 1050 }]);
});
