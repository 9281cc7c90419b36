import { chmodSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkoutBundle } from '../../../../server/git/bundle.ts';
import { applyPatch } from '../../../../server/git/patch.ts';
import { loadCreatedTask } from '../../../../server/tasks/createdTask.ts';
import { taskHandlers } from '../../../../server/tasks/handlers.ts';
import { aDirectory, aRepository, makeHostile, userGit, write } from '../../git/aRepository.ts';
import { aCleanSession, sessionsOf, taskDeps } from '../aSession.ts';
import { change, library, signal } from '../aTask.ts';

const message =
  'Add a function that subtracts\n\nIt takes minuend and subtrahend.\n\nSigned-off-by: A User <user@example.com>\n';

function commit(root: string, text: string): string {
  userGit(root, 'add', '-A');
  userGit(root, 'commit', '-q', '--cleanup=verbatim', '-m', text);
  return userGit(root, 'rev-parse', 'HEAD').trim();
}

function aHistory() {
  const root = aRepository(library);
  write(root, change);
  return { root, id: commit(root, message), handlers: taskHandlers(taskDeps()) };
}

/** Mode, blob and path of every file of a tree, as git has them. */
const treeOf = (root: string, revision: string) => userGit(root, 'ls-tree', '-r', '--full-tree', revision);

/** The trees that a created task starts from and ends at, built from its own files alone. */
async function treesOf(directory: string) {
  const { bundle } = await loadCreatedTask(directory);
  const copy = aDirectory();
  await checkoutBundle(bundle, copy);
  const start = treeOf(copy, 'HEAD');
  await applyPatch(copy, readFileSync(join(directory, 'diff.patch')));
  userGit(copy, 'add', '--all', '--force');
  userGit(copy, 'commit', '-q', '-m', 'end');
  return { start, end: treeOf(copy, 'HEAD') };
}

describe('a task from a commit', () => {
  it('starts from its parent and asks for what its message says, without trailers', async () => {
    const { root, id, handlers } = aHistory();
    const { task, source, notes } = await handlers.from({ repository: root, source: 'HEAD', labels: ['old'] }, signal);
    expect({ source, notes }).toEqual({ source: 'commit', notes: [] });
    expect(task).toMatchObject({ state: 'created', title: 'Add a function that subtracts', tags: ['old'] });
    const { meta } = await loadCreatedTask(task.directory);
    expect(meta.lm.instructions).toBe('Add a function that subtracts\n\nIt takes minuend and subtrahend.');
    expect(meta.repo).toMatchObject({
      end_commit_sha: id,
      start_commit_sha: userGit(root, 'rev-parse', 'HEAD~1').trim(),
    });
    expect(await treesOf(task.directory)).toEqual({ start: treeOf(root, 'HEAD~1'), end: treeOf(root, 'HEAD') });
    await handlers.prepare({ repository: root, task: task.id, name: undefined }, signal);
  });

  it('keeps every byte: line ends, modes, links, renames, binary files', async () => {
    const root = aRepository({
      ...library,
      'crlf.txt': 'one\r\ntwo\r\n',
      'old/name.txt': 'moved\n'.repeat(20),
      'ident.txt': '$Id$\n',
      'gone.bin': Buffer.from([0, 255, 1]),
      '.gitattributes': '*.txt text eol=lf ident\n',
    });
    write(root, {
      ...change,
      'crlf.txt': 'one\r\nTWO\r\n',
      'data.bin': Buffer.from([0, 1, 2, 254, 13, 10]),
      'run.sh': '#!/bin/sh\n',
    });
    rmSync(join(root, 'gone.bin'));
    write(root, { 'new/keep': '' });
    renameSync(join(root, 'old/name.txt'), join(root, 'new/name.txt'));
    chmodSync(join(root, 'run.sh'), 0o755);
    symlinkSync('../run.sh', join(root, 'new/link'));
    commit(root, 'Move and change many things at once');
    const handlers = taskHandlers(taskDeps());
    const { task } = await handlers.from({ repository: root, source: 'HEAD', labels: [] }, signal);
    expect(await treesOf(task.directory)).toEqual({ start: treeOf(root, 'HEAD~1'), end: treeOf(root, 'HEAD') });
  });

  it('runs nothing that the repository names, and changes nothing in it', async () => {
    const { root, id, handlers } = aHistory();
    const hostile = makeHostile(root);
    hostile.forget();
    const index = readFileSync(join(root, '.git/index'));
    const config = readFileSync(join(root, '.git/config'));
    const refs = () => userGit(root, 'for-each-ref') + readFileSync(join(root, '.git/HEAD'), 'utf8');
    const before = refs();
    await handlers.from({ repository: root, source: id, labels: [] }, signal);
    expect(hostile.ran()).toEqual([]);
    expect(readFileSync(join(root, '.git/index'))).toEqual(index);
    expect(readFileSync(join(root, '.git/config'))).toEqual(config);
    expect(refs()).toBe(before);
  });

  it('takes a merge against its first parent, with the words of the pull request', async () => {
    const { root, handlers } = aHistory();
    userGit(root, 'checkout', '-q', '-b', 'feature', 'HEAD~1');
    write(root, { 'src/more.js': 'export const more = 1;\n', 'test/more.test.js': 'export {};\n' });
    commit(root, 'wip');
    userGit(root, 'checkout', '-q', 'main');
    userGit(
      root,
      'merge',
      '-q',
      '--no-ff',
      'feature',
      '-m',
      'Merge pull request #7 from a/feature\n\nExport the number one as more',
    );
    const { task, notes } = await handlers.from({ repository: root, source: 'HEAD', labels: [] }, signal);
    expect(task.title).toBe('Export the number one as more');
    expect(notes).toEqual([expect.stringContaining('first parent')]);
    const shown = await handlers.show({ repository: root, task: task.id }, signal);
    expect(shown.files).toEqual(['src/more.js', 'test/more.test.js']);
  });

  it('refuses the first commit, what is no commit, and flags that say nothing', async () => {
    const { root, handlers } = aHistory();
    const from = (source: string, more = {}) =>
      handlers.from({ repository: root, source, labels: [], ...more }, signal);
    await expect(from('HEAD~1')).rejects.toMatchObject({
      code: 'task.invalid',
      message: expect.stringContaining('first commit'),
      hint: expect.stringContaining('codex-coach task start'),
    });
    await expect(from('nonsense')).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(from('--help')).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(from('HEAD', { end: 'HEAD' })).rejects.toMatchObject({ message: expect.stringContaining('--end') });
    await expect(from('HEAD', { base: 'HEAD' })).rejects.toMatchObject({ message: expect.stringContaining('--base') });
  });

  it('refuses a secret in the change with its place, and writes nothing', async () => {
    const { root, handlers } = aHistory();
    write(root, { 'src/key.js': `\nconst key = 'sk-${'a1B2'.repeat(8)}';\n` });
    commit(root, 'Add a client of the service');
    const refusal = handlers.from({ repository: root, source: 'HEAD', labels: [] }, signal);
    await expect(refusal).rejects.toMatchObject({
      code: 'task.secrets',
      message: expect.stringContaining('src/key.js:2'),
    });
    expect((await handlers.list({ repository: root }, signal)).rows).toEqual([]);
  });

  it('says when the message is too vague or gives the solution away', async () => {
    const { root, handlers } = aHistory();
    const line = 'export const square = number => number * number;';
    write(root, { 'src/square.js': `${line}\n`, 'test/square.test.js': 'export {};\n' });
    commit(root, 'Fix tests');
    const vague = await handlers.from({ repository: root, source: 'HEAD', labels: [] }, signal);
    expect(vague.notes).toEqual([expect.stringContaining('very short')]);
    const instruction = `Add a square function to the library: ${line}`;
    const leaking = await handlers.from(
      { repository: root, source: 'HEAD', instruction, title: 'Leak', labels: [] },
      signal,
    );
    expect(leaking.notes).toEqual([expect.stringContaining(line)]);
    await expect(
      handlers.prepare({ repository: root, task: leaking.task.id, name: undefined }, signal),
    ).rejects.toMatchObject({ code: 'task.leak', message: expect.stringContaining(line) });
  });

  it('keeps a session that is named, and asks for what was asked in it', async () => {
    const { root } = aHistory();
    const sessions = sessionsOf(aCleanSession('Please add a function that subtracts.', 'a'));
    const { task } = await taskHandlers(taskDeps({ sessions })).from(
      { repository: root, source: 'HEAD', sessionId: 'a', labels: [] },
      signal,
    );
    const created = await loadCreatedTask(task.directory);
    expect(created.sessionId).toBe('a');
    expect(created.meta.lm.instructions).toBe('Please add a function that subtracts.');
  });
});

describe('a task from a range', () => {
  it('starts where the branches parted, and says so', async () => {
    const { root, handlers } = aHistory();
    userGit(root, 'checkout', '-q', '-b', 'feature', 'HEAD~1');
    write(root, { 'src/a.js': 'export const a = 1;\n' });
    commit(root, 'Export the constant a');
    write(root, { 'test/a.test.js': 'export {};\n' });
    commit(root, 'Test it as well');
    const { task, source, notes } = await handlers.from(
      { repository: root, source: 'main..feature', labels: [] },
      signal,
    );
    expect(source).toBe('range');
    expect(notes).toEqual([expect.stringContaining('where they parted')]);
    const { files, instruction } = await handlers.show({ repository: root, task: task.id }, signal);
    expect(files).toEqual(['src/a.js', 'test/a.test.js']);
    expect(instruction).toBe('Export the constant a\n\nTest it as well');
    expect(await treesOf(task.directory)).toEqual({ start: treeOf(root, 'main~1'), end: treeOf(root, 'feature') });
  });

  it('without commits is refused', async () => {
    const { root, handlers } = aHistory();
    await expect(handlers.from({ repository: root, source: 'HEAD..HEAD~1', labels: [] }, signal)).rejects.toMatchObject(
      {
        code: 'task.empty',
      },
    );
  });
});
