import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diffDirectory } from '../../../server/git/agentDiff.ts';
import { checkoutBundle } from '../../../server/git/bundle.ts';
import { applyPatch } from '../../../server/git/patch.ts';
import { aCheckout } from './aCheckout.ts';
import { aDirectory, aRepository, makeHostile, userGit, write } from './aRepository.ts';

const aTrial = (files: Record<string, string>) => aCheckout(aRepository(files));

const changes = async (bundle: string, dir: string) =>
  (await diffDirectory(bundle, dir)).files.map(file => `${file.status} ${file.path}`).sort();

describe('diffDirectory', () => {
  it('is empty for an untouched checkout', async () => {
    const { bundle, dir } = await aTrial({ 'a.txt': 'one\r\n', '.gitattributes': '* text=auto\n' });
    const diff = await diffDirectory(bundle, dir);
    expect(diff).toMatchObject({ files: [], numbers: { files: 0, insertions: 0, deletions: 0 } });
    expect(diff.patch).toHaveLength(0);
  });

  it('gives a patch that makes a fresh checkout equal', async () => {
    const { bundle, dir } = await aTrial({ 'a.txt': '1\n2\n', 'b.txt': 'x\n' });
    write(dir, { 'a.txt': '1\n3\n', 'new/c.bin': Buffer.from([0, 1, 2]) });
    rmSync(join(dir, 'b.txt'));
    const diff = await diffDirectory(bundle, dir);
    expect(diff.numbers).toEqual({ files: 3, insertions: 1, deletions: 2 });
    const copy = aDirectory();
    await checkoutBundle(bundle, copy);
    await applyPatch(copy, diff.patch);
    expect(readFileSync(join(copy, 'a.txt'), 'utf8')).toBe('1\n3\n');
    expect(readFileSync(join(copy, 'new/c.bin'))).toEqual(Buffer.from([0, 1, 2]));
    expect(readdirSync(copy).sort()).toEqual(['.git', 'a.txt', 'new']);
  });

  it('sees what an agent hid from git, and runs none of its programs', async () => {
    const { bundle, dir } = await aTrial({
      'a.txt': '1\n',
      'b.txt': '1\n',
      '.gitignore': 'dist/\n',
      'sub/.gitignore': '*.log\n',
    });
    const hostile = makeHostile(dir);
    userGit(dir, 'update-index', '--assume-unchanged', 'a.txt');
    hostile.forget();
    write(dir, {
      'a.txt': '2\n',
      '.git/info/exclude': 'hidden.txt\n',
      '.gitignore': '*\n',
      'hidden.txt': 'x',
      'deep/.gitignore': '*\n',
      'deep/too.txt': 'x',
      'nested/n.py': 'x',
      'dist/ignored at the start': 'x',
      'sub/x.log': 'x',
      'node_modules/lib/index.js': 'x',
    });
    userGit(join(dir, 'nested'), 'init', '-q');
    cpSync(join(dir, 'nested', '.git'), join(dir, 'other', '.GIT'), { recursive: true });
    write(dir, { 'other/o.txt': 'x', 'git~1/x': 'x' });
    expect(await changes(bundle, dir)).toEqual([
      'added .gitattributes',
      'added deep/.gitignore',
      'added deep/too.txt',
      'added git~1/x',
      'added hidden.txt',
      'added nested/n.py',
      'added other/o.txt',
      'modified .gitignore',
      'modified a.txt',
    ]);
    expect(hostile.ran()).toEqual([]);
    expect(readFileSync(join(dir, '.gitignore'), 'utf8')).toBe('*\n');
  });

  it('follows no link that the agent put in place of a directory', async () => {
    const { bundle, dir } = await aTrial({ 'a.txt': '1\n', 'sub/.gitignore': '*.log\n', 'sub/x.txt': '1\n' });
    const outside = aDirectory();
    write(outside, { '.gitignore': 'precious\n', 'x.txt': 'precious\n', '.git/config': 'precious' });
    rmSync(join(dir, 'sub'), { recursive: true });
    symlinkSync(outside, join(dir, 'sub'));
    expect(await changes(bundle, dir)).toEqual(['added sub', 'deleted sub/.gitignore', 'deleted sub/x.txt']);
    expect(readFileSync(join(outside, '.gitignore'), 'utf8')).toBe('precious\n');
    expect(readFileSync(join(outside, '.git/config'), 'utf8')).toBe('precious');
  });

  it('reads files and directories that the agent made unreadable', async () => {
    const { bundle, dir } = await aTrial({ 'a.txt': '1\n' });
    write(dir, { 'locked/file.txt': 'x', 'a.txt': '2\n' });
    chmodSync(join(dir, 'a.txt'), 0);
    chmodSync(join(dir, 'locked'), 0);
    expect(await changes(bundle, dir)).toEqual(['added locked/file.txt', 'modified a.txt']);
  });

  it('leaves nothing beside the directory', async () => {
    const { bundle, dir } = await aTrial({ 'a.txt': '1\n', '.gitignore': 'x\n' });
    await diffDirectory(bundle, dir);
    expect(readdirSync(join(dir, '..'))).toEqual(['app']);
  });
});
