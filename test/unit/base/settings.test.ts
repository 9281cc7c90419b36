import { expect, it } from 'vitest';
import {
  checkSettings,
  environmentSettings,
  otherSettings,
  settingPrints,
  unheldSettings,
} from '../../../server/base/settings.ts';

it('a setting that is not usable says what is expected, with its variable and an example', () => {
  for (const [variable, value, reason, hint] of [
    ['PROXY_PORT', 'abc', 'expected a whole number from 0 to 65535', 'PROXY_PORT=18080'],
    ['PROXY_PORT', '70000', 'expected a whole number from 0 to 65535', 'PROXY_PORT=18080'],
    ['PROXY_PORT', '1.5', 'expected a whole number from 0 to 65535', 'PROXY_PORT=18080'],
    ['COACH_BUDGET_DAY_USD', '5 USD', 'expected a number of at least 0', 'COACH_BUDGET_DAY_USD=0'],
    ['COACH_IDLE_SECS', '0', 'expected a whole number of at least 1', 'COACH_IDLE_SECS=600'],
    ['COACH_BUDGET_WARN_SHARE', '80', 'expected a number from 0 to 1', 'COACH_BUDGET_WARN_SHARE=0.8'],
    ['COACH_EXECUTOR', 'podman', 'expected one of auto, docker, local', 'COACH_EXECUTOR=auto'],
  ] as const) {
    expect(() => checkSettings({ [variable]: value })).toThrow(
      expect.objectContaining({
        code: 'input.invalid',
        message: `${variable}=${value} is not usable: ${reason}.`,
        hint: `Unset it, or give another value, such as ${hint}`,
      }),
    );
  }
});

it('a setting that is unset or empty is its default', () => {
  const settings = environmentSettings({ PROXY_PORT: '', COACH_IDLE_SECS: '7' });
  expect([settings.get('proxy.port'), settings.get('server.idleSeconds')]).toEqual([18_080, 7]);
});

it.each<[NodeJS.ProcessEnv, NodeJS.ProcessEnv, string[]]>([
  [{ CODEX_TRACE_HOME: '/other' }, {}, ['CODEX_TRACE_HOME']],
  [{ CODEX_TRACE_HOME: '/other', CODEX_HOME: '/new' }, { CODEX_TRACE_HOME: '/other' }, []],
  [{ CODEX_HOME: '/other' }, { HOME: '/me' }, ['CODEX_HOME']],
  [{ CODEX_HOME: '/me/.codex/' }, { HOME: '/me' }, []],
  [
    { COACH_KEEP_DAYS: '30', COACH_MAX_MEGABYTES: '5', SESSION_IDLE_SECS: '120' },
    { COACH_KEEP_DAYS: '7' },
    ['COACH_KEEP_DAYS', 'COACH_MAX_MEGABYTES'],
  ],
  [{ COACH_KEEP_DAYS: '0', COACH_EXECUTOR: '' }, {}, []],
  [{}, { COACH_KEEP_DAYS: '7', CODEX_TRACE_HOME: '/other' }, []],
])('%j is without effect on a server that was started with %j: %j', (env, started, unheld) => {
  expect(unheldSettings(env, settingPrints(started)).toSorted()).toEqual(unheld);
  expect(otherSettings(env, settingPrints(started))).toEqual([]);
});

it.each<[NodeJS.ProcessEnv, NodeJS.ProcessEnv, string[]]>([
  [{ COACH_BUDGET_DAY_TOKENS: '5' }, {}, ['COACH_BUDGET_DAY_TOKENS']],
  [{ COACH_BUDGET_DAY_TOKENS: '5' }, { COACH_BUDGET_DAY_TOKENS: '7' }, ['COACH_BUDGET_DAY_TOKENS']],
  [{ COACH_BUDGET_DAY_TOKENS: '0' }, { COACH_BUDGET_DAY_TOKENS: '7' }, ['COACH_BUDGET_DAY_TOKENS']],
  [{ COACH_BUDGET_DAY_TOKENS: '0', PROXY_PORT: '18080' }, {}, []],
  [{ COACH_BUDGET_DAY_TOKENS: '' }, { COACH_BUDGET_DAY_TOKENS: '7' }, []],
])('%j holds for no launch of a server that was started with %j: %j', (env, started, other) => {
  expect(otherSettings(env, settingPrints(started))).toEqual(other);
});

it('knows nothing of what a server does not tell', () => {
  expect(unheldSettings({ COACH_KEEP_DAYS: '30' }, {})).toEqual([]);
});
