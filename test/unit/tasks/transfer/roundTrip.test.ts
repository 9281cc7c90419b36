import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPreparedTask } from '../../../../server/tasks/format.ts';
import { aDirectory, write } from '../../git/aRepository.ts';
import { aHarborTask, aTaskHouse, aTerminalBenchTask, contentOf, fixtures } from './foreignDirectories.ts';

const bareSwe = {
  repo: 'acme/sums',
  instance_id: 'acme__sums-1',
  base_commit: '23d698607b45b8469c766b521d27e9a6e92e8739',
  patch: 'diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-1\n+2\n',
  test_patch: 'diff --git a/test_a.py b/test_a.py\n--- a/test_a.py\n+++ b/test_a.py\n@@ -1 +1 @@\n-1\n+2\n',
  problem_statement: 'Two, not one.\r\n',
  FAIL_TO_PASS: '["test_a.py::test_two"]',
  PASS_TO_PASS: '[]',
  difficulty: '<15 min fix',
  column_of_the_future: { nested: [1, null] },
};

describe('a task that is imported and exported again', () => {
  it.each(['harbor', 'original'] as const)(
    'is the same Harbor directory: bytes, modes, links (as %s)',
    async format => {
      const { importFrom, exportTo } = aTaskHouse();
      const given = aHarborTask();
      const { task } = await importFrom(given);
      const output = join(aDirectory(), 'out');
      expect(await exportTo(task.id, format, output)).toMatchObject({ notes: [] });
      expect(contentOf(output)).toEqual(contentOf(given));
    },
  );

  it.each(['harbor/hello-world', 'harbor/separate-verifier-environment', 'terminal-bench', 'oneshot'])(
    'is the same although it holds only data (%s)',
    async example => {
      const { importFrom, exportTo, handlers, repository } = aTaskHouse();
      const given = join(fixtures, example);
      const { task } = await importFrom(given);
      expect(task.problem).toMatch(/can't be run here: /);
      const output = join(aDirectory(), 'out');
      await exportTo(task.id, 'original', output);
      expect(contentOf(output)).toEqual(contentOf(given));
      const listed = (await handlers.list({ repository }, AbortSignal.timeout(10_000))).rows;
      expect(listed.map(row => row.id)).toEqual([task.id]);
    },
  );

  it('is the same Terminal-Bench directory, and becomes a Harbor task too', async () => {
    const { importFrom, exportTo } = aTaskHouse();
    const given = aTerminalBenchTask();
    const { task, format } = await importFrom(given);
    expect(format).toBe('terminal-bench');
    const [original, harbor] = [join(aDirectory(), 'original'), join(aDirectory(), 'harbor')];
    await exportTo(task.id, 'original', original);
    expect(contentOf(original)).toEqual(contentOf(given));
    await exportTo(task.id, 'harbor', harbor);
    expect(Object.keys(contentOf(harbor))).toEqual(
      expect.arrayContaining([
        'task.toml',
        'instruction.md',
        'tests/test.sh',
        'tests/run-tests.sh',
        'solution/solve.sh',
      ]),
    );
  });

  it('carries what was edited since', async () => {
    const { importFrom, exportTo } = aTaskHouse();
    const { task } = await importFrom(aHarborTask());
    write(task.directory, { 'instruction.md': 'Write "hi".\n', 'tests/files/more.txt': 'more\n' });
    const output = join(aDirectory(), 'out');
    const { notes } = await exportTo(task.id, 'harbor', output);
    expect(readFileSync(join(output, 'instruction.md'), 'utf8')).toBe('Write "hi".\n');
    expect(readFileSync(join(output, 'tests/more.txt'), 'utf8')).toBe('more\n');
    expect(notes.join()).toMatch(/tests\/more\.txt.*instruction\.md/);
  });

  it.each([
    ['a list', { ...bareSwe, FAIL_TO_PASS: ['test_a.py::test_two'], PASS_TO_PASS: [] }],
    ['a string', bareSwe],
  ])('is the same SWE-bench row, with its test ids as %s', async (_, row) => {
    const { importFrom, exportTo } = aTaskHouse();
    const file = join(aDirectory(), 'rows.jsonl');
    writeFileSync(file, `${JSON.stringify({ ...row, instance_id: 'acme__sums-2' })}\n${JSON.stringify(row)}\n`);
    const { task } = await importFrom(file, { instance: 'acme__sums-1' });
    const output = join(aDirectory(), 'out.jsonl');
    await exportTo(task.id, 'swe-bench', output);
    expect(JSON.parse(readFileSync(output, 'utf8'))).toEqual(row);
  });

  it('is added to the rows of the file that a link leads to', async () => {
    const { importFrom, exportTo } = aTaskHouse();
    const directory = aDirectory();
    const file = join(directory, 'row.jsonl');
    writeFileSync(file, `${JSON.stringify(bareSwe)}\n`);
    const { task } = await importFrom(file);
    symlinkSync('rows.jsonl', join(directory, 'link'));
    for (const count of [1, 2]) {
      await exportTo(task.id, 'swe-bench', join(directory, 'link'));
      const rows = readFileSync(join(directory, 'rows.jsonl'), 'utf8').trim().split('\n');
      expect(rows.map(row => JSON.parse(row))).toEqual(Array(count).fill(bareSwe));
    }
    await expect(exportTo(task.id, 'swe-bench', directory)).rejects.toThrow(/is a directory/);
  });

  it('is the same row of a real dataset, whose ids are cut off', async () => {
    const { importFrom, exportTo } = aTaskHouse();
    const file = join(fixtures, 'swebench/instance_sqlfluff-2386.jsonl');
    const { task } = await importFrom(file);
    const output = join(aDirectory(), 'out.jsonl');
    await exportTo(task.id, 'swe-bench', output);
    expect(readFileSync(output, 'utf8')).toBe(readFileSync(file, 'utf8'));
    expect((await loadPreparedTask(task.directory)).instruction).toContain('Double backticks in Lint description');
  });
});
