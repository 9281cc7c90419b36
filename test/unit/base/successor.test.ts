import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { takeLock } from '../../../server/base/lock.ts';
import { silentLog } from '../../../server/base/log.ts';
import { successor } from '../../../server/base/successor.ts';
import { temporaryDirectory } from '../../temporary.ts';

const checkMs = 5;

function aServer() {
  const home = join(temporaryDirectory(), 'home');
  mkdirSync(home);
  const [tokenFile, lockFile] = [join(home, 'server.token'), join(home, 'server.lock')];
  const lock = takeLock(lockFile);
  if (lock === null) throw new Error('Somebody has the lock.');
  const writeToken = () => writeFileSync(tokenFile, 'ours');
  writeToken();
  const ended = new AbortController();
  onTestFinished(() => {
    ended.abort();
    lock.release();
  });
  let isSucceeded = false;
  const serving = { tokenFile, token: 'ours', lock, log: silentLog, writeToken };
  const waiting = successor(serving, checkMs, ended.signal).then(() => {
    isSucceeded = true;
  });
  waiting.catch(() => undefined);
  return { home, tokenFile, lockFile, isSucceeded: () => isSucceeded };
}

it('knows the server that serves the home after its files were deleted', async () => {
  const { home, tokenFile, lockFile, isSucceeded } = aServer();
  rmSync(home, { recursive: true });
  await sleep(10 * checkMs);
  expect(isSucceeded()).toBe(false);
  mkdirSync(home);
  const theirs = takeLock(lockFile);
  onTestFinished(() => theirs?.release());
  writeFileSync(tokenFile, '');
  await sleep(10 * checkMs);
  expect(isSucceeded()).toBe(false);
  writeFileSync(tokenFile, 'theirs');
  await expect.poll(isSucceeded).toBe(true);
  expect(readFileSync(tokenFile, 'utf8')).toBe('theirs');
});

it('takes a home that was away for a while, or was copied back, for its own', async () => {
  const { home, isSucceeded } = aServer();
  renameSync(home, `${home}.away`);
  await sleep(10 * checkMs);
  renameSync(`${home}.away`, home);
  await sleep(10 * checkMs);
  cpSync(home, `${home}.copy`, { recursive: true });
  rmSync(home, { recursive: true });
  renameSync(`${home}.copy`, home);
  await sleep(10 * checkMs);
  expect(isSucceeded()).toBe(false);
});

it.each([
  ['put back from a backup', (file: string) => writeFileSync(file, 'of an earlier server')],
  ['emptied', (file: string) => writeFileSync(file, '')],
  ['deleted', (file: string) => rmSync(file)],
])('goes on when its token alone was %s, and shows it again', async (_, change) => {
  const { tokenFile, isSucceeded } = aServer();
  change(tokenFile);
  await expect.poll(() => existsSync(tokenFile) && readFileSync(tokenFile, 'utf8')).toBe('ours');
  expect(isSucceeded()).toBe(false);
});
