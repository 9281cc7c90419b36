import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadToken } from '../../../../server/surfaces/http/token.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const aFile = () => join(temporaryDirectory(), 'http.header');

it('makes a header that only its user can read, and keeps it', () => {
  const file = aFile();
  const token = loadToken(file);
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(readFileSync(file, 'utf8')).toBe(`Authorization: Bearer ${token}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(loadToken(file)).toBe(token);
});

it('makes a new one when others could read it', () => {
  const file = aFile();
  const token = loadToken(file);
  chmodSync(file, 0o644);
  expect(loadToken(file)).not.toBe(token);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it.each(['', 'Authorization: Bearer x\n', 'Authorization: Bearer \n'])('takes %j for no token', content => {
  const file = aFile();
  writeFileSync(file, content, { mode: 0o600 });
  expect(loadToken(file)).toMatch(/^[0-9a-f]{64}$/);
});

it('writes through no link', () => {
  const file = aFile();
  const other = join(temporaryDirectory(), 'other');
  symlinkSync(other, file);
  loadToken(file);
  expect(existsSync(other)).toBe(false);
});
