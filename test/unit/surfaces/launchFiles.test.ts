import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { LaunchFiles } from '../../../server/surfaces/cli/launchFiles.ts';
import { temporaryDirectory } from '../../temporary.ts';

it('gives an agent files that only this user reads, and that are gone after its end', () => {
  const home = temporaryDirectory();
  const files = new LaunchFiles(home);
  expect(readdirSync(home)).toEqual([]);
  const file = files.write('settings.json', '{}');
  expect(readFileSync(file, 'utf8')).toBe('{}');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
  expect(dirname(files.write('more.json', '[]'))).toBe(dirname(file));
  files.dispose();
  expect(existsSync(dirname(file))).toBe(false);
});

it('removes what a killed process has left, and nothing of one that lives', () => {
  const home = temporaryDirectory();
  const gone = join(home, 'launched', '2147483646-abc');
  mkdirSync(gone, { recursive: true });
  const first = new LaunchFiles(home);
  const file = first.write('a', '');
  const second = new LaunchFiles(home);
  second.write('b', '');
  expect(existsSync(gone)).toBe(false);
  expect(existsSync(file)).toBe(true);
  first.dispose();
  second.dispose();
});
