import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CoachError } from '../../../../protocol/errors.ts';
import { runs } from '../../../../protocol/runs.ts';
import { sessions } from '../../../../protocol/sessions.ts';
import { checkedParams, fromBody, fromQuery } from '../../../../server/surfaces/http/parameters.ts';
import { toRoute } from '../../../../server/surfaces/http/routes.ts';

const answer = () => Promise.resolve();
const list = toRoute('sessions', 'list', sessions.members.list, answer);
const stats = toRoute('sessions', 'stats', sessions.members.stats, answer);
const start = toRoute('runs', 'start', runs.members.start, answer);
const regrade = toRoute('runs', 'regrade', runs.members.regrade, answer);

/** What is answered, or the CoachError; anything else that is thrown fails the test. */
function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    if (error instanceof CoachError) return error;
    throw error;
  }
}

it('answers any query with parameters that their schema takes, or with a fault that has words', () => {
  const names = fc.oneof(fc.constantFrom('limit', 'before', 'since', 'repository', 'text', '__proto__'), fc.string());
  const texts = fc.oneof(fc.constantFrom('7', '-1', '/r', '7d', 'true', ''), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(fc.array(fc.tuple(names, texts)), pairs => {
      const found = outcome(() => checkedParams(list, fromQuery(list, new URLSearchParams(pairs))));
      if (found instanceof CoachError) expect(found).toMatchObject({ code: 'input.invalid', hint: expect.any(String) });
      else expect(list.spec.params.safeParse(found).success).toBe(true);
    }),
  );
});

it('answers any body with parameters that their schema takes, or with a fault that has words', () => {
  const bodies = fc.oneof(
    fc.uint8Array(),
    fc.json().map(text => new TextEncoder().encode(text)),
  );
  fc.assert(
    fc.property(bodies, body => {
      const found = outcome(() => checkedParams(start, fromBody(start, body)));
      expect(found).toMatchObject({ code: 'input.invalid', hint: expect.any(String) });
    }),
  );
});

it('takes lists of one and of several', () => {
  const asked = (query: string) => checkedParams(stats, fromQuery(stats, new URLSearchParams(query)));
  expect(asked('by=day')).toEqual({ by: ['day'], days: 30 });
  expect(asked('by=day&by=model&days=7')).toEqual({ by: ['day', 'model'], days: 7 });
  expect(() => asked('by=year')).toThrow(/by/);
});

it('wants recordings by a path that starts nowhere else than at the root', () => {
  const run =
    (agent: object, more = {}) =>
    () =>
      checkedParams(start, { repository: '/r', tasks: ['a'], agents: [{ id: 'codex', ...agent }], yes: true, ...more });
  expect(run({ replay: 'recording.json' })).toThrow(/agents.replay: give an absolute path/);
  expect(run({ replay: '/recording.json' })).not.toThrow();
  expect(run({ replay: 'session:abc' })).not.toThrow();
  expect(run({}, { judge: 'replay:judge.json' })).toThrow(/judge: give an absolute path/);
  expect(run({}, { judge: 'replay:session:abc' })).not.toThrow();
  expect(run({}, { judge: 'openai/gpt-5.5' })).not.toThrow();
  expect(run({}, { repository: 'session:abc' })).toThrow(/repository: give an absolute path/);
});

it('refuses a misspelt limit at every depth, and says which there are', () => {
  const run = (more: object) => () =>
    checkedParams(start, { repository: '/r', tasks: ['a'], agents: [{ id: 'codex' }], yes: true, ...more });
  expect(run({ limits: { maxUSD: 1 } })).toThrow(
    '/api/runs/start: no such parameter: limits.maxUSD. Known in limits: timeoutSec, maxTokens, maxUsd, idleSec',
  );
  expect(run({ limit: { maxUsd: 1 } })).toThrow(/no such parameter: limit\. Known: repository, /);
  expect(run({ agents: [{ id: 'codex' }, { id: 'codex', modle: 'x' }] })).toThrow(/no such parameter: agents\.modle\./);
  expect(run({ limits: { constructor: 1 } })).toThrow(/limits\.constructor/);
  expect(run({ limits: { maxUsd: 1 }, keys: { ANY_NAME: 'x' } })).not.toThrow();
});

it('says what is wrong before it asks for a confirmation, and takes no confirmation along', () => {
  expect(() => checkedParams(regrade, {})).toThrow(/runId/);
  expect(() => checkedParams(regrade, { runId: 'r' })).toThrow(/may ask a model/);
  expect(checkedParams(regrade, { runId: 'r', yes: true })).toEqual({
    ...{ runId: 'r', executor: 'auto', rubricOnly: false, keys: {} },
  });
});
