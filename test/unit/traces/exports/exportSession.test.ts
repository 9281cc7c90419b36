import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exportSession } from '../../../../server/traces/exports/exportSession.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { aRichSession } from '../sessions/aReader.ts';

const exported = (output: string, force: boolean) =>
  exportSession(
    aRichSession(),
    { sessionId: 'session-1', format: 'clean', output, force, content: false },
    AbortSignal.timeout(10_000),
  );

it('overwrites and follows nothing unasked', async () => {
  const directory = temporaryDirectory();
  const link = join(directory, 'link');
  symlinkSync('target', link);
  await expect(exported(link, false)).rejects.toMatchObject({ code: 'input.invalid' });
  expect(existsSync(join(directory, 'target'))).toBe(false);
  await expect(exported(directory, true)).rejects.toMatchObject({ code: 'input.invalid' });
});

it('writes through a link when it is told to', async () => {
  const directory = temporaryDirectory();
  const link = join(directory, 'link');
  writeFileSync(join(directory, 'target'), 'before');
  symlinkSync('target', link);
  await exported(link, true);
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(JSON.parse(readFileSync(join(directory, 'target'), 'utf8'))).toMatchObject({ session_id: 'session-1' });
});

it.skipIf(process.platform === 'win32')('writes into a pipe, which stays one, without being told to', async () => {
  const pipe = join(temporaryDirectory(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const [text] = await Promise.all([readFile(pipe, 'utf8'), exported(pipe, false)]);
  expect(JSON.parse(text)).toMatchObject({ session_id: 'session-1' });
  expect(lstatSync(pipe).isFIFO()).toBe(true);
});
