import { chmodSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { overlayPatch } from '../../../server/git/overlay.ts';
import { applyPatch } from '../../../server/git/patch.ts';
import { aCheckout } from './aCheckout.ts';
import { aDirectory, aRepository, write } from './aRepository.ts';

/** What the files of directories make of a checkout of a repository. */
async function overlaid(root: string, ...directories: string[]): Promise<{ patch: Buffer; dir: string }> {
  const { bundle, dir } = await aCheckout(root);
  const patch = await overlayPatch(bundle, directories);
  await applyPatch(dir, patch);
  return { patch, dir };
}

it('puts files over a start byte by byte, those of the last directory on top, and takes none away', async () => {
  const root = aRepository({
    '.gitattributes': '* text eol=crlf\n*.id ident\n',
    '.gitignore': '*.log\n',
    'test/old.txt': 'old\n',
    'test/kept.txt': 'kept\r\n',
  });
  const first = aDirectory();
  const last = aDirectory();
  const bytes = Buffer.from([0, 13, 10, 255]);
  write(first, { 'test/old.txt': 'new\n', 'test/both.txt': 'first\n', 'k.id': '$Id: mine $\n', 'data/x.bin': bytes });
  write(last, { 'test/both.txt': 'last\r\n', 'seen.log': 'ignored\n' });
  write(first, { 'run.sh': '#!/bin/sh\n' });
  chmodSync(join(first, 'run.sh'), 0o755);
  const { dir } = await overlaid(root, first, last);
  const read = (path: string) => readFileSync(join(dir, path), 'latin1');
  expect(['test/old.txt', 'test/kept.txt', 'test/both.txt', 'k.id', 'seen.log', 'data/x.bin'].map(read)).toEqual([
    'new\n',
    'kept\r\n',
    'last\r\n',
    '$Id: mine $\n',
    'ignored\n',
    bytes.toString('latin1'),
  ]);
  expect(statSync(join(dir, 'run.sh')).mode & 0o111).not.toBe(0);
});

it('puts a directory where the start has a link', async () => {
  const root = aRepository({ 'src/a.txt': 'a\n' });
  symlinkSync('src', join(root, 'test'));
  const directory = aDirectory();
  write(directory, { 'test/a.txt': 'mine\n' });
  const { dir } = await overlaid(root, directory);
  expect(readFileSync(join(dir, 'test/a.txt'), 'utf8')).toBe('mine\n');
  expect(readFileSync(join(dir, 'src/a.txt'), 'utf8')).toBe('a\n');
});

it('is empty where the start has all of it already, and for an empty directory', async () => {
  const directory = aDirectory();
  write(directory, { 'a.txt': 'a\n' });
  const { patch } = await overlaid(aRepository({ 'a.txt': 'a\n' }), directory, aDirectory());
  expect(patch).toHaveLength(0);
});
