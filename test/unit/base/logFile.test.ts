import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { LogFile } from '../../../server/base/logFile.ts';
import { temporaryDirectory } from '../../temporary.ts';

it('writes what the disk did not take as soon as it does, in order', async () => {
  const directory = join(temporaryDirectory(), 'not-yet');
  const file = join(directory, 'a.log');
  const log = new LogFile(file);
  log.write('one\n');
  // Its failure to open the file is not to be seen from outside.
  await delay(300);
  log.write('two\n');
  mkdirSync(directory);
  await expect.poll(() => readFileSync(file, 'utf8'), { timeout: 10_000 }).toBe('one\ntwo\n');
  log.write('three\n');
  await log.close();
  expect(readFileSync(file, 'utf8')).toBe('one\ntwo\nthree\n');
});
