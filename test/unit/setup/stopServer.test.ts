import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { takeLock } from '../../../server/base/lock.ts';
import { coachPaths, ensureHome } from '../../../server/base/paths.ts';
import { stopServer } from '../../../server/setup/stopServer.ts';
import { temporaryDirectory } from '../../temporary.ts';

function aHome() {
  const paths = coachPaths({ COACH_HOME: join(temporaryDirectory(), 'coach') });
  ensureHome(paths);
  return paths;
}

it('lets no server start until it is done', async () => {
  const paths = aHome();
  const lock = await stopServer(paths, { alone: false });
  expect(takeLock(paths.lockFile)).toBeNull();
  lock?.release();
  takeLock(paths.lockFile)?.release();
});

it('does not take a server that does not answer for none', async () => {
  const paths = aHome();
  const server = takeLock(paths.lockFile);
  await expect(stopServer(paths, { alone: true, timeoutMs: 100 })).rejects.toMatchObject({
    code: 'server.unreachable',
    message: expect.stringContaining('does not answer'),
  });
  server?.release();
});

it('waits for one on its way out', async () => {
  const paths = aHome();
  const server = takeLock(paths.lockFile);
  setTimeout(() => server?.release(), 100);
  const lock = await stopServer(paths, { alone: true });
  expect(lock).not.toBeNull();
  lock?.release();
});

it('makes no COACH_HOME', async () => {
  const paths = coachPaths({ COACH_HOME: join(temporaryDirectory(), 'coach') });
  expect(await stopServer(paths, { alone: true })).toBeNull();
  expect(existsSync(paths.home)).toBe(false);
});
