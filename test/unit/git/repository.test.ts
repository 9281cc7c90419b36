import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commitsBetween, repositoryAt, repositoryState, requireCommit } from '../../../server/git/repository.ts';
import { statusOf } from '../../../server/git/status.ts';
import { aDirectory, aRepository, makeHostile, userGit, write } from './aRepository.ts';

describe('repositoryAt', () => {
  it('finds the repository from a directory inside it', async () => {
    const root = aRepository({ 'src/a.js': '1\n' });
    const repository = await repositoryAt(join(root, 'src'));
    expect(repository).toMatchObject({ root, branch: 'main', submodules: [] });
    expect(repository.head).toBe(userGit(root, 'rev-parse', 'HEAD').trim());
  });

  it('says what to do outside of a repository and in a missing directory', async () => {
    const error = { code: 'git.notARepository', hint: expect.stringContaining('git init') };
    await expect(repositoryAt(aDirectory())).rejects.toMatchObject(error);
    await expect(repositoryAt('/no/such/directory')).rejects.toMatchObject({ code: 'git.notARepository' });
  });

  it('reads a repository without a commit, and refuses where one is needed', async () => {
    const root = aDirectory();
    userGit(root, 'init', '-q', '-b', 'main');
    const repository = await repositoryAt(root);
    expect(repository).toMatchObject({ head: null, branch: 'main' });
    expect(() => requireCommit(repository)).toThrow(expect.objectContaining({ code: 'git.noCommit' }));
  });

  it('tells a directory apart from a repository, and that from one with a commit', async () => {
    const root = aDirectory();
    expect(await repositoryState(root)).toBe('none');
    userGit(root, 'init', '-q', '-b', 'main');
    expect(await repositoryState(root)).toBe('empty');
    expect(await repositoryState(aRepository())).toBe('ready');
  });

  it('names no branch on a detached head', async () => {
    const root = aRepository();
    userGit(root, 'checkout', '-q', '--detach');
    expect((await repositoryAt(root)).branch).toBeNull();
  });

  it('leaves passwords out of remote addresses', async () => {
    const root = aRepository();
    userGit(root, 'remote', 'add', 'origin', 'https://user:hunter22@example.com/x.git');
    userGit(root, 'remote', 'add', 'other', 'git@example.com:x.git');
    expect((await repositoryAt(root)).remotes).toEqual([
      { name: 'origin', url: 'https://example.com/x.git' },
      { name: 'other', url: 'git@example.com:x.git' },
    ]);
  });

  it('reads a linked worktree', async () => {
    const root = aRepository();
    const linked = join(aDirectory(), 'linked');
    userGit(root, 'worktree', 'add', '-q', '-b', 'side', linked);
    write(linked, { 'new.txt': 'x' });
    const repository = await repositoryAt(linked);
    expect(repository).toMatchObject({ root: linked, branch: 'side', commonDir: join(root, '.git') });
    expect(await statusOf(repository)).toEqual({ changed: [], untracked: ['new.txt'] });
  });

  it('finds submodules', async () => {
    const inner = aRepository();
    const root = aRepository();
    userGit(root, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', inner, 'inner');
    const repository = await repositoryAt(root);
    expect(repository.submodules).toEqual(['inner']);
  });

  it('lists the commits between two', async () => {
    const root = aRepository();
    const from = userGit(root, 'rev-parse', 'HEAD').trim();
    write(root, { 'a.txt': 'two\n' });
    userGit(root, 'commit', '-qam', 'Second');
    const repository = await repositoryAt(root);
    expect(await commitsBetween(repository, from, repository.head ?? '')).toEqual([repository.head]);
    expect(await commitsBetween(repository, from, from)).toEqual([]);
  });

  it('says that git is missing', async () => {
    const root = aRepository();
    const path = process.env['PATH'];
    process.env['PATH'] = aDirectory();
    try {
      await expect(repositoryAt(root)).rejects.toMatchObject({
        code: 'git.missing',
        hint: expect.stringContaining('Install git'),
      });
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('statusOf', () => {
  it('tells changed, staged, deleted and untracked files apart from ignored ones and ours', async () => {
    const root = aRepository({ 'a.txt': '1\n', 'b.txt': '1\n', 'c.txt': '1\n', '.gitignore': 'out/\n' });
    write(root, { 'a.txt': '2\n', 'new/file.txt': 'x', 'out/x': 'x', '.coach/tasks/t': 'x', '.env': 'KEY=1' });
    write(root, { 'b.txt': '2\n' });
    userGit(root, 'add', 'b.txt');
    rmSync(join(root, 'c.txt'));
    const status = await statusOf(await repositoryAt(root));
    expect(status.changed.toSorted()).toEqual(['a.txt', 'b.txt', 'c.txt']);
    expect(status.untracked).toEqual(['new/file.txt']);
  });

  it('takes a file whose line endings the user lets git convert for unchanged', async () => {
    const root = aRepository({ '.gitattributes': '* text=auto eol=crlf\n', 'a.txt': 'one\ntwo\n' });
    rmSync(join(root, 'a.txt'));
    userGit(root, 'checkout', '-q', '--', 'a.txt');
    expect(readFileSync(join(root, 'a.txt'), 'latin1')).toBe('one\r\ntwo\r\n');
    write(root, { 'a.txt': 'one\r\ntwo\r\n' });
    expect(await statusOf(await repositoryAt(root))).toEqual({ changed: [], untracked: [] });
  });

  it('sees a change of the same size right after a commit', async () => {
    for (let round = 0; round < 5; round++) {
      const root = aRepository({ 'a.txt': '1\n' });
      write(root, { 'a.txt': '2\n' });
      expect((await statusOf(await repositoryAt(root))).changed).toEqual(['a.txt']);
    }
  });

  it("leaves the user's index as it is", async () => {
    const root = aRepository();
    write(root, { 'a.txt': 'changed\n' });
    const before = readFileSync(join(root, '.git', 'index'));
    await statusOf(await repositoryAt(root));
    expect(readFileSync(join(root, '.git', 'index')).equals(before)).toBe(true);
  });
});

describe('a hostile repository', () => {
  it('runs code under plain git, so that the next test can fail', () => {
    const root = aRepository({ 'a.txt': '1\n', 'x.p': '1\n' });
    const hostile = makeHostile(root);
    write(root, { 'a.txt': '2\n' });
    userGit(root, 'diff', '--no-ext-diff', 'HEAD');
    userGit(root, 'add', 'a.txt');
    expect(hostile.ran()).toEqual(expect.arrayContaining(['clean.ran', 'fsmonitor.ran', 'post-index-change.ran']));
  });

  it('runs nothing when it is read and when its status is asked', async () => {
    const root = aRepository({ 'a.txt': '1\n', 'x.p': '1\n' });
    const hostile = makeHostile(root);
    write(root, { 'a.txt': '2\n' });
    mkdirSync(join(root, 'sub'));
    const repository = await repositoryAt(join(root, 'sub'));
    const status = await statusOf(repository);
    expect(status.changed).toContain('a.txt');
    await commitsBetween(repository, `${repository.head}`, '0'.repeat(40)).catch(() => undefined);
    expect(hostile.ran()).toEqual([]);
  });
});
