import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { successor } from '../../../server/base/successor.ts';
import { temporaryDirectory } from '../../temporary.ts';

const checkMs = 5;

function aServer() {
  const tokenFile = join(temporaryDirectory(), 'server.token');
  writeFileSync(tokenFile, 'ours');
  const ended = new AbortController();
  onTestFinished(() => ended.abort());
  let isSucceeded = false;
  const waiting = successor(tokenFile, 'ours', checkMs, ended.signal).then(() => {
    isSucceeded = true;
  });
  waiting.catch(() => undefined);
  return { tokenFile, isSucceeded: () => isSucceeded };
}

it('knows the server that serves the home after its files were deleted', async () => {
  const { tokenFile, isSucceeded } = aServer();
  rmSync(tokenFile);
  await sleep(10 * checkMs);
  expect(isSucceeded()).toBe(false);
  writeFileSync(tokenFile, '');
  await sleep(10 * checkMs);
  expect(isSucceeded()).toBe(false);
  writeFileSync(tokenFile, 'theirs');
  await expect.poll(isSucceeded).toBe(true);
});

it('takes a home that was away for a while, or was copied back, for its own', async () => {
  const { tokenFile, isSucceeded } = aServer();
  renameSync(tokenFile, `${tokenFile}.away`);
  await sleep(10 * checkMs);
  renameSync(`${tokenFile}.away`, tokenFile);
  await sleep(10 * checkMs);
  rmSync(tokenFile);
  writeFileSync(tokenFile, 'ours');
  await sleep(10 * checkMs);
  expect(isSucceeded()).toBe(false);
});
