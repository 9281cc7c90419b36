import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { taskHandlers } from '../../../../server/tasks/handlers.ts';
import { aDirectory, aRepository, userGit, write } from '../../git/aRepository.ts';
import { taskDeps } from '../aSession.ts';
import { change, library, signal } from '../aTask.ts';

/** A repository whose later commits are patches, and are gone from it. */
function aPatchSeries(...formatArgs: string[]) {
  const root = aRepository({ ...library, 'crlf.txt': 'one\r\ntwo\r\n', 'old.txt': 'same\n'.repeat(9) });
  const base = userGit(root, 'rev-parse', 'HEAD').trim();
  write(root, change);
  userGit(root, 'add', '-A');
  userGit(root, 'commit', '-qm', 'Subtract – with tests\n\nNumbers only.');
  write(root, { 'crlf.txt': 'one\r\nTWO\r\n', 'data.bin': Buffer.from([0, 1, 255, 13, 10]) });
  userGit(root, 'mv', 'old.txt', 'new.txt');
  userGit(root, 'add', '-A');
  userGit(root, 'commit', '-qm', 'Move files');
  const tree = userGit(root, 'ls-tree', '-r', 'HEAD');
  const text = userGit(root, 'format-patch', '--stdout', ...formatArgs, base);
  userGit(root, 'reset', '-q', '--hard', base);
  const file = join(aDirectory(), 'series.mbox');
  writeFileSync(file, text);
  const handlers = taskHandlers(taskDeps());
  const from = (more = {}) => handlers.from({ repository: root, source: file, labels: [], ...more }, signal);
  return { root, base, tree, file, text, handlers, from };
}

describe('a task from a patch', () => {
  it('applies every mail of a mailbox to the base, byte by byte, and asks for what they say', async () => {
    const { root, base, tree, handlers, from } = aPatchSeries();
    const { task, source } = await from({ base });
    expect(source).toBe('patch');
    expect(task.title).toBe('Subtract – with tests');
    const { instruction } = await handlers.show({ repository: root, task: task.id }, signal);
    expect(instruction).toBe('Subtract – with tests\n\nNumbers only.\n\nMove files');
    userGit(root, 'apply', '--index', '--binary', '--whitespace=nowarn', join(task.directory, 'diff.patch'));
    userGit(root, 'commit', '-qm', 'applied');
    expect(userGit(root, 'ls-tree', '-r', 'HEAD')).toBe(tree);
  });

  it('takes the cover letter for the words, and the base that the series names', async () => {
    const { base, text, file, from } = aPatchSeries('--cover-letter', '--base=HEAD~2');
    writeFileSync(
      file,
      text
        .replace('*** SUBJECT HERE ***', 'Let the library subtract')
        .replace('*** BLURB HERE ***', 'Users asked for it.'),
    );
    const { task, notes } = await from();
    expect(task.title).toBe('Let the library subtract');
    expect(notes[0]).toContain(base.slice(0, 12));
    expect(JSON.parse(readFileSync(join(task.directory, 'tb_meta.json'), 'utf8')).lm.instructions).toBe(
      'Let the library subtract\n\nUsers asked for it.',
    );
  });

  it('takes a plain diff, which says nothing of itself', async () => {
    const { root, base, file, handlers, from } = aPatchSeries();
    write(root, { 'src/sums.js': change['src/sums.js'] });
    writeFileSync(file, userGit(root, 'diff'));
    const { task } = await from({ base, title: 'Subtract', instruction: 'Add a function that subtracts.' });
    const shown = await handlers.show({ repository: root, task: task.id }, signal);
    expect(shown).toMatchObject({ files: ['src/sums.js'], instruction: 'Add a function that subtracts.' });
  });

  it('refuses one without a base, naming the flag', async () => {
    await expect(aPatchSeries().from()).rejects.toMatchObject({
      code: 'input.invalid',
      hint: expect.stringContaining('--base'),
    });
  });

  it('names the file and the hunk that do not apply, and which patch', async () => {
    const lines = Array.from({ length: 60 }, (_, index) => `line ${index}`);
    const root = aRepository({ 'a.txt': `${lines.join('\n')}\n`, 'b.txt': 'b\n' });
    const edited = (...at: number[]) =>
      `${lines.map((line, index) => (at.includes(index) ? `${line}!` : line)).join('\n')}\n`;
    write(root, { 'a.txt': edited(5, 40), 'b.txt': 'B\n' });
    userGit(root, 'commit', '-qam', 'Shout');
    const file = join(aDirectory(), 'shout.patch');
    writeFileSync(file, userGit(root, 'format-patch', '--stdout', 'HEAD~1'));
    userGit(root, 'reset', '-q', '--hard', 'HEAD~1');
    write(root, { 'a.txt': edited(39, 41) });
    userGit(root, 'commit', '-qam', 'Other words');
    const handlers = taskHandlers(taskDeps());
    await expect(
      handlers.from({ repository: root, source: file, base: 'HEAD', labels: [] }, signal),
    ).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringMatching(
        /^Patch \("Shout"\) does not apply to [0-9a-f]{12}: a\.txt, hunk 2 \(@@ -38,7 \+38,7 @@\)\.$/,
      ),
    });
  });

  it('refuses a patch that leaves the repository or writes into .git', async () => {
    const { base, file, from } = aPatchSeries();
    for (const path of ['../outside.txt', '.git/hooks/post-checkout']) {
      writeFileSync(
        file,
        `diff --git a/${path} b/${path}\nnew file mode 100755\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`,
      );
      await expect(from({ base })).rejects.toMatchObject({ code: 'input.invalid' });
    }
  });
});
