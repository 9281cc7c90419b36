import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { coachPaths } from '../../../server/base/paths.ts';
import { settingPrints } from '../../../server/base/settings.ts';
import { checkOwnSettings } from '../../../server/setup/checks/settings.ts';
import type { Examined } from '../../../server/setup/finding.ts';
import { temporaryDirectory } from '../../temporary.ts';

interface Given {
  readonly cwd?: string;
  /** What a running server was started with. */
  readonly started?: NodeJS.ProcessEnv;
}

async function found(env: NodeJS.ProcessEnv, { cwd = temporaryDirectory(), started }: Given = {}) {
  const HOME = temporaryDirectory();
  const info = { version: '1.0.0', pid: 1, home: '/', startedAt: '2026-01-01T00:00:00Z', clients: 1, runningTrials: 0 };
  const request = async () => ({ ...info, log: '', outerProxy: null, settings: settingPrints(started ?? {}) });
  const server = started === undefined ? null : { channel: { request } };
  const paths = coachPaths({ HOME, ...env });
  return checkOwnSettings({ env: { HOME, ...env }, cwd, paths, server } as unknown as Examined);
}

it('has nothing to say of settings that are usable', async () => {
  expect(await found({ COACH_BUDGET_DAY_TOKENS: '10000' })).toMatchObject([{ level: 'ok' }]);
});

it.each([
  ['COACH_BUDGET_DAY_TOKENS', '10k'],
  ['COACH_UPSTREAMS', 'foo'],
  ['COACH_MODEL_HOSTS', 'foo bar'],
  ['COACH_ALLOW_PRIVATE', '10.0.0.0/99'],
  ['PROXY_PORT', 'abc'],
])('calls %s=%s broken, with what it should be', async (variable, value) => {
  const [finding, ...others] = await found({ [variable]: value }, { started: {} });
  expect(finding).toMatchObject({ level: 'broken', fix: expect.stringMatching(/such as|Write it like/) });
  expect(finding?.what).toContain(value);
  expect(others).toEqual([]);
});

it('names settings that no launch could have, as the running server has others', async () => {
  const env = { COACH_BUDGET_DAY_TOKENS: '5' };
  expect(await found(env, { started: env })).toMatchObject([{ level: 'ok' }]);
  expect(await found(env, { started: {} })).toMatchObject([
    {
      level: 'broken',
      what: expect.stringContaining('COACH_BUDGET_DAY_TOKENS'),
      fix: expect.stringContaining('server stop'),
    },
  ]);
});

it('calls a home broken that can’t be made or is no directory, and leaves nothing behind', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'file'), '');
  for (const home of [join(directory, 'file'), join(directory, 'file', 'below'), '/proc/no/such/place']) {
    expect(await found({ COACH_HOME: home })).toMatchObject([
      { level: 'broken', what: expect.stringContaining(home), fix: expect.stringContaining('COACH_HOME') },
    ]);
  }
  expect(await found({ COACH_HOME: join(directory, 'new', 'home') })).toMatchObject([{ level: 'ok' }]);
  expect(readdirSync(directory)).toEqual(['file']);
});

it.skipIf(process.getuid?.() === 0)('calls a home broken that this user may not write', async () => {
  const home = join(temporaryDirectory(), 'home');
  mkdirSync(home);
  chmodSync(home, 0o500);
  for (const place of [home, join(home, 'below')]) {
    expect(await found({ COACH_HOME: place })).toMatchObject([{ level: 'broken' }]);
  }
});

it('warns of settings in the .env of a repository, which is read for keys alone', async () => {
  const cwd = temporaryDirectory();
  mkdirSync(join(cwd, '.git'));
  mkdirSync(join(cwd, 'src'));
  const lines = ['OPENAI_API_KEY=sk-x', 'COACH_BUDGET_DAY_USD=5', 'PROXY_PORT=1', 'DEBUG=1', 'SESSION_IDLE_SECS=9'];
  writeFileSync(join(cwd, '.env'), lines.join('\n'));
  expect(await found({ SESSION_IDLE_SECS: '9' }, { cwd: join(cwd, 'src') })).toMatchObject([
    { level: 'warning', what: 'COACH_BUDGET_DAY_USD, PROXY_PORT: not read from here.', where: join(cwd, '.env') },
  ]);
});
