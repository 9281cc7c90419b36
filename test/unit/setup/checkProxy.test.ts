import { expect, it } from 'vitest';
import { ProxyStatus } from '../../../protocol/proxy.ts';
import { checkProxy } from '../../../server/setup/checks/proxy.ts';
import type { Examined } from '../../../server/setup/finding.ts';

/** A server whose proxy says this of itself. */
function examined(changes: object): Examined {
  const status = ProxyStatus.parse({
    ...{ state: 'listening', host: '127.0.0.1', port: 9, caFile: '/ca.pem', bundleFile: '/bundle.pem' },
    ...{ exchanges: 0, openConnections: 0, uncaptured: 0, error: null, ...changes },
  });
  const server = { info: { version: '1.0.0', pid: 1, outerProxy: null }, channel: { request: async () => status } };
  return { env: {}, server } as unknown as Examined;
}

it('names a model host that was not reached, with the reason and what to do', async () => {
  const failure = {
    host: 'gateway.example',
    reason: "Can't reach gateway.example:443: why",
    at: '2026-01-01T00:00:00Z',
  };
  const unreached = [
    { ...failure, hint: null },
    { ...failure, hint: 'Do this.' },
  ];
  const found = (await checkProxy(examined({ unreached }))).filter(({ area }) => area === 'upstream');
  expect(found).toMatchObject([
    { level: 'broken', what: expect.stringContaining('gateway.example'), why: failure.reason },
    { level: 'broken', fix: 'Do this.' },
  ]);
  expect(found[0]?.fix).toContain('Mend the way there.');
});

it('tells limits in force, and that nothing works once the day has used up its own', async () => {
  const day = { scope: 'day', unit: 'tokens', limit: 4000, used: 4620 };
  const limits = [day, { scope: 'day', unit: 'usd', limit: 9, used: 2 }];
  const budgets = [{ ...day, id: '2026-11-23', state: 'spent' }];
  const found = (await checkProxy(examined({ budgets, limits }))).filter(({ area }) => area === 'budget');
  expect(found).toMatchObject([
    { level: 'broken', what: expect.stringContaining('4,620 of its 4,000'), fix: expect.stringContaining('next day') },
    { level: 'ok', what: 'This day (UTC) may use $9.00 and has used $2.00 of it.' },
  ]);
  const unused = await checkProxy(examined({ state: 'stopped', port: null, limits: [{ ...day, used: 0 }] }));
  expect(unused.at(-1)).toMatchObject({ level: 'ok', what: expect.stringContaining('4,000 tokens') });
});

it('names what no limit counts, with another remedy for each reason', async () => {
  const uncounted = [
    { model: 'gpt-99', exchanges: 2 },
    { model: 'qwen', exchanges: 1, lacks: 'usage' },
  ];
  const found = (await checkProxy(examined({ uncounted }))).filter(({ area }) => area === 'budget');
  expect(found).toMatchObject([
    {
      level: 'warning',
      what: expect.stringContaining('price'),
      fix: expect.stringContaining('COACH_BUDGET_DAY_TOKENS'),
    },
    { level: 'warning', what: expect.stringContaining('tokens'), fix: expect.stringContaining('include_usage') },
  ]);
});
