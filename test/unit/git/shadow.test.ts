import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { coachPaths } from '../../../server/base/paths.ts';
import { bundleOf, checkoutBundle, withBundle } from '../../../server/git/bundle.ts';
import { leakedBlobs } from '../../../server/git/leak.ts';
import { applyPatch } from '../../../server/git/patch.ts';
import { repositoryAt } from '../../../server/git/repository.ts';
import { shadowOf, snapshot } from '../../../server/git/shadow.ts';
import { statusOf } from '../../../server/git/status.ts';
import type { GitStore } from '../../../server/git/store.ts';
import { diffTrees, fileAt, filesOf, patchTree } from '../../../server/git/tree.ts';
import { aDirectory, aRepository, makeHostile, userGit, write } from './aRepository.ts';

async function shadowFor(root: string): Promise<{ take(): Promise<string>; store: GitStore }> {
  const repository = await repositoryAt(root);
  const store = await shadowOf(repository, coachPaths({ COACH_HOME: aDirectory('coach-home') }));
  return { store, take: () => snapshot(repository, store) };
}

/** Path → kind, mode and bytes of everything but `.git`. */
function contentsOf(root: string, under = ''): Record<string, string> {
  const contents: Record<string, string> = {};
  for (const name of readdirSync(join(root, under))) {
    const path = under === '' ? name : `${under}/${name}`;
    const found = lstatSync(join(root, path));
    if (name === '.git') continue;
    if (found.isSymbolicLink()) contents[path] = `link ${readlinkSync(join(root, path))}`;
    else if (found.isDirectory()) Object.assign(contents, contentsOf(root, path));
    else contents[path] = `${found.mode & 0o100 ? 'x' : '-'} ${readFileSync(join(root, path)).toString('hex')}`;
  }
  return contents;
}

const awkward = {
  '.gitattributes':
    '* text=auto\n*.id ident\n*.u16 working-tree-encoding=UTF-16LE\n*.bin -diff\n*.txt whitespace=trail\nsecret export-ignore\n',
  'crlf.txt': 'one\r\ntwo\r\n',
  'mixed.txt': 'one\r\ntwo\nthree\r',
  'keyword.id': '$Id$ and $Id: 123 $\n',
  'wide.u16': Buffer.from('hello\n', 'utf16le'),
  'picture.bin': Buffer.from([0, 1, 2, 255, 254, 13, 10, 0]),
  'no newline': 'x',
  empty: '',
  'ünï/日本 "quoted"\t.txt': 'x\n',
  secret: 'kept\n',
};

describe('snapshot', () => {
  it('keeps every byte, mode and link through bundle and checkout, whatever the attributes say', async () => {
    const root = aRepository({ ...awkward });
    write(root, awkward);
    chmodSync(join(root, 'empty'), 0o755);
    symlinkSync('no newline', join(root, 'link'));
    symlinkSync('/etc/passwd', join(root, 'far link'));
    const { store, take } = await shadowFor(root);
    const bundle = join(aDirectory(), 'start.bundle');
    await bundleOf(store, await take(), bundle);
    const copy = aDirectory();
    await checkoutBundle(bundle, copy);
    expect(contentsOf(copy)).toEqual(contentsOf(root));
    expect(userGit(copy, 'status', '--porcelain')).toBe('');
  });

  it('makes the end out of the start by its patch: changed, binary, deleted, renamed, executable, links', async () => {
    const root = aRepository({ ...awkward, 'gone.txt': 'x\n', 'old name.txt': 'a\nb\nc\n', 'tool.sh': '#!/bin/sh\n' });
    const { store, take } = await shadowFor(root);
    const start = await take();
    write(root, {
      'crlf.txt': 'one\r\n2\r\n',
      'picture.bin': Buffer.from([9, 0, 9, 13, 10]),
      'keyword.id': '$Id$ changed\n',
      'added.bin': Buffer.from([0, 0, 1]),
      'trailing.txt': 'space \t\n\n\n',
    });
    rmSync(join(root, 'gone.txt'));
    renameSync(join(root, 'old name.txt'), join(root, 'new name.txt'));
    chmodSync(join(root, 'tool.sh'), 0o755);
    rmSync(join(root, 'empty'));
    symlinkSync('tool.sh', join(root, 'empty'));
    const end = await take();
    const diff = await diffTrees(store, start, end);
    expect(await patchTree(store, start, diff.patch)).toBe(end);
    expect(
      Object.fromEntries(diff.files.map(file => [file.path, `${file.status}${file.binary ? ' binary' : ''}`])),
    ).toEqual({
      'added.bin': 'added binary',
      'crlf.txt': 'modified',
      empty: 'modified',
      'gone.txt': 'deleted',
      'keyword.id': 'modified',
      'new name.txt': 'added',
      'old name.txt': 'deleted',
      'picture.bin': 'modified binary',
      'tool.sh': 'modified',
      'trailing.txt': 'added',
    });
    expect(diff.numbers.files).toBe(10);

    const bundle = join(aDirectory(), 'start.bundle');
    await bundleOf(store, start, bundle);
    const copy = aDirectory();
    await checkoutBundle(bundle, copy);
    await applyPatch(copy, diff.patch);
    expect(contentsOf(copy)).toEqual(contentsOf(root));
  });

  it('takes tracked files even when ignored, and leaves out ignored, own and key files', async () => {
    const root = aRepository({ '.gitignore': 'dist/\n!.coach/\n', 'a.txt': '1\n' });
    write(root, { 'dist/kept.js': '1', '.coach/tasks/x': 'tracked by the user' });
    userGit(root, 'add', '-f', 'dist/kept.js', '.coach');
    userGit(root, 'commit', '-qm', 'More');
    write(root, {
      'dist/other.js': '2',
      'new.txt': 'n',
      '.env': 'KEY=1',
      'sub/.env.local': 'KEY=1',
      '.env.example': 'KEY=',
    });
    write(root, { '.git/info/exclude': 'private/\n', 'private/x': 'x', '.coach/runs/y': 'y' });
    const { store, take } = await shadowFor(root);
    const paths = (await filesOf(store, await take())).map(file => file.path);
    expect(paths).toEqual(['.env.example', '.gitignore', 'a.txt', 'dist/kept.js', 'new.txt']);
  });

  it("never touches the user's index, head, configuration or files", async () => {
    const root = aRepository();
    write(root, { 'a.txt': 'changed\n', 'new.txt': 'x' });
    const state = () => [
      userGit(root, 'rev-parse', 'HEAD'),
      readFileSync(join(root, '.git/index'), 'hex'),
      contentsOf(join(root, '.git')),
      contentsOf(root),
    ];
    const before = state();
    const { take } = await shadowFor(root);
    await take();
    expect(state()).toEqual(before);
  });

  it('sees a change whose size and time were put back', async () => {
    const root = aRepository({ 'a.txt': 'one\n' });
    const { take } = await shadowFor(root);
    const before = await take();
    const { atime, mtime } = statSync(join(root, 'a.txt'));
    write(root, { 'a.txt': 'two\n' });
    execFileSync('touch', ['-d', mtime.toISOString(), join(root, 'a.txt')]);
    expect(atime).toBeDefined();
    expect(await take()).not.toBe(before);
  });

  it('works on a repository with SHA-256 ids', async () => {
    const root = aDirectory();
    userGit(root, 'init', '-q', '--object-format=sha256', '-b', 'main');
    write(root, { 'a.txt': '1\n' });
    userGit(root, 'add', 'a.txt');
    userGit(root, 'commit', '-qm', 'x');
    expect(await statusOf(await repositoryAt(root))).toEqual({ changed: [], untracked: [] });
    const { store, take } = await shadowFor(root);
    const bundle = join(aDirectory(), 'b');
    await bundleOf(store, await take(), bundle);
    const copy = aDirectory();
    await checkoutBundle(bundle, copy);
    expect(contentsOf(copy)).toEqual({ 'a.txt': contentsOf(root)['a.txt'] });
  });

  it('takes submodules, and theirs, as the files that are checked out in them', async () => {
    const add = ['-c', 'protocol.file.allow=always', 'submodule', 'add', '-q'];
    const innermost = aRepository({ 'deep.txt': 'deep\n' });
    const inner = aRepository({ '.gitignore': '*.log\n', 'lib.txt': 'as committed\r\n' });
    userGit(inner, ...add, innermost, 'innermost');
    userGit(inner, 'commit', '-qm', 'Add a submodule');
    const root = aRepository({ '.gitignore': '*.tmp\n', 'a.txt': '1\n' });
    userGit(root, ...add, inner, 'vendor/inner');
    userGit(root, ...add, innermost, 'later');
    userGit(root, '-c', 'protocol.file.allow=always', 'submodule', 'update', '-q', '--init', '--recursive');
    userGit(root, 'commit', '-qm', 'Add submodules');
    userGit(root, 'submodule', '-q', 'deinit', 'later');
    const { store, take } = await shadowFor(root);
    const start = await take();
    write(join(root, 'vendor', 'inner'), { 'lib.txt': 'changed\r\n', 'new.tmp': 'kept\n', 'noise.log': 'ignored\n' });
    write(join(root, 'vendor', 'inner', 'innermost'), { 'deep.txt': 'deeper\n' });
    const before = [
      userGit(root, 'status', '--porcelain'),
      userGit(join(root, 'vendor', 'inner'), 'status', '--porcelain'),
    ];
    const end = await take();
    const { files, patch } = await diffTrees(store, start, end);
    expect(files.map(({ path, status }) => [path, status])).toEqual([
      ['vendor/inner/innermost/deep.txt', 'modified'],
      ['vendor/inner/lib.txt', 'modified'],
      ['vendor/inner/new.tmp', 'added'],
    ]);
    expect(await patchTree(store, start, patch)).toBe(end);
    const bundle = join(aDirectory(), 'b');
    await bundleOf(store, end, bundle);
    const copy = aDirectory();
    await checkoutBundle(bundle, copy);
    rmSync(join(root, 'vendor', 'inner', 'noise.log'));
    expect(contentsOf(copy)).toEqual(contentsOf(root));
    expect([
      userGit(root, 'status', '--porcelain'),
      userGit(join(root, 'vendor', 'inner'), 'status', '--porcelain'),
    ]).toEqual(before);
  });

  it('refuses a nested repository, with and without commits', async () => {
    const root = aRepository();
    mkdirSync(join(root, 'vendor', 'lib'), { recursive: true });
    userGit(join(root, 'vendor', 'lib'), 'init', '-q');
    const { take } = await shadowFor(root);
    await expect(take()).rejects.toMatchObject({
      code: 'git.submodules',
      message: expect.stringContaining('vendor/lib'),
    });
    write(join(root, 'vendor', 'lib'), { x: '1' });
    userGit(join(root, 'vendor', 'lib'), 'add', 'x');
    userGit(join(root, 'vendor', 'lib'), 'commit', '-qm', 'x');
    await expect(take()).rejects.toMatchObject({
      code: 'git.submodules',
      message: expect.stringContaining('vendor/lib'),
    });
  });

  it('runs nothing that a hostile repository configures, and keeps its bytes', async () => {
    const root = aRepository({ 'a.txt': '1\r\n', 'x.p': '1\n' });
    const hostile = makeHostile(root);
    const { store, take } = await shadowFor(root);
    const start = await take();
    write(root, { 'a.txt': '2\r\n' });
    const end = await take();
    const diff = await diffTrees(store, start, end);
    const bundle = join(aDirectory(), 'start.bundle');
    await bundleOf(store, start, bundle);
    const copy = aDirectory();
    await checkoutBundle(bundle, copy);
    await applyPatch(copy, diff.patch);
    await leakedBlobs(root, ['0'.repeat(40)], { bare: false });
    expect((await fileAt(store, end, 'a.txt'))?.toString()).toBe('2\r\n');
    expect(readFileSync(join(copy, 'a.txt'), 'utf8')).toBe('2\r\n');
    expect(hostile.ran()).toEqual([]);
  });
});

describe('bundleOf', () => {
  it('holds one commit and nothing else of the repository, and is the same bytes each time', async () => {
    const root = aRepository({ 'a.txt': 'one\n' });
    const { store, take } = await shadowFor(root);
    const start = await take();
    write(root, { 'a.txt': 'the future\n' });
    const end = await take();
    const future = (await filesOf(store, end)).map(file => file.blob);
    const [first, second] = [join(aDirectory(), '1'), join(aDirectory(), '2')];
    await bundleOf(store, start, first);
    await bundleOf(store, start, second);
    expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
    const copy = aDirectory();
    await checkoutBundle(first, copy);
    expect(userGit(copy, 'rev-list', '--all', '--count').trim()).toBe('1');
    expect(userGit(copy, 'remote').trim()).toBe('');
    expect(existsSync(join(copy, '.git', 'logs'))).toBe(false);
    expect(userGit(copy, 'cat-file', '--batch-all-objects', '--batch-check').trim().split('\n')).toHaveLength(3);
    expect(await leakedBlobs(copy, future, { bare: false })).toEqual([]);
    expect(
      await leakedBlobs(
        copy,
        (await filesOf(store, start)).map(file => file.blob),
        { bare: false },
      ),
    ).toHaveLength(1);
  });

  it('finds a leaked blob that nothing refers to', async () => {
    const root = aRepository({ 'a.txt': 'one\n' });
    const { store, take } = await shadowFor(root);
    const bundle = join(aDirectory(), 'b');
    await bundleOf(store, await take(), bundle);
    const copy = aDirectory();
    await checkoutBundle(bundle, copy);
    write(copy, { secret: 'the solution\n' });
    const blob = userGit(copy, 'hash-object', '-w', 'secret').trim();
    expect(await leakedBlobs(copy, [blob], { bare: false })).toEqual([blob]);
  });

  it('refuses a broken bundle and one with a history', async () => {
    const root = aRepository();
    write(root, { 'a.txt': 'two\n' });
    userGit(root, 'commit', '-qam', 'Second');
    const bundle = join(aDirectory(), 'history.bundle');
    userGit(root, 'bundle', 'create', '-q', bundle, 'main');
    await expect(withBundle(bundle, async () => undefined)).rejects.toMatchObject({
      code: 'task.invalid',
      message: expect.stringContaining('2 commits'),
    });
    write(root, { broken: 'not a bundle' });
    await expect(withBundle(join(root, 'broken'), async () => undefined)).rejects.toMatchObject({
      code: 'task.invalid',
    });
    await expect(withBundle(join(root, 'missing'), async () => undefined)).rejects.toMatchObject({
      code: 'task.invalid',
    });
  });
});

describe('applyPatch', () => {
  it('changes nothing when one hunk does not apply', async () => {
    const directory = aDirectory();
    write(directory, { 'a.txt': 'one\n', 'b.txt': 'other\n' });
    const patch = `diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\ndiff --git a/b.txt b/b.txt\n--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-one\n+two\n`;
    await expect(applyPatch(directory, Buffer.from(patch))).rejects.toMatchObject({
      code: 'git.failed',
      message: expect.stringContaining('b.txt'),
    });
    expect(readFileSync(join(directory, 'a.txt'), 'utf8')).toBe('one\n');
  });

  it('writes neither outside of the directory, nor through a link, nor into .git', async () => {
    const outside = aDirectory();
    const directory = aDirectory();
    symlinkSync(outside, join(directory, 'out'));
    mkdirSync(join(directory, '.git'));
    const adding = (path: string) =>
      Buffer.from(
        `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`,
      );
    for (const path of ['../evil', 'out/evil', '.git/config', '.GIT/config']) {
      await expect(applyPatch(directory, adding(path))).rejects.toMatchObject({ code: 'git.failed' });
    }
    expect(readdirSync(outside)).toEqual([]);
    expect(readdirSync(join(directory, '.git'))).toEqual([]);
  });
});
