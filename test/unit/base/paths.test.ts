import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { serverPlace } from '../../../client/connection.ts';
import { coachPaths } from '../../../server/base/paths.ts';

afterEach(() => vi.unstubAllEnvs());

/** The editor finds the server where the command line does. */
function homeIn(env: NodeJS.ProcessEnv): string {
  const { home } = coachPaths(env);
  expect(serverPlace(env).home).toBe(home);
  return home;
}

it('lies in the home that the system knows where HOME is empty', () => {
  vi.stubEnv('HOME', '');
  expect(homedir()).toBe('');
  expect(homeIn({ HOME: '' })).toBe(join(userInfo().homedir, '.codex-coach'));
});

it('takes a ~ in COACH_HOME for the user’s home, where no shell did', () => {
  const env = { HOME: '/home/someone' };
  expect(homeIn({ ...env, COACH_HOME: '~/x' })).toBe('/home/someone/x');
  expect(homeIn({ ...env, COACH_HOME: '~' })).toBe('/home/someone');
  expect(homeIn({ ...env, COACH_HOME: '/a/~/x' })).toBe('/a/~/x');
  expect(homeIn({ ...env, COACH_HOME: '' })).toBe('/home/someone/.codex-coach');
});
