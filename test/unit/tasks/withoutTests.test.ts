import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPreparedTask } from '../../../server/tasks/format.ts';
import { loadRubric } from '../../../server/tasks/rubric.ts';
import { aCleanSession, sessionsOf } from './aSession.ts';
import { aCreatedTask, aPreparedTask, change, signal } from './aTask.ts';

const tests = { 'test/more.test.js': "import '../src/sums.js';\n" };
const readme = { 'README.md': '# Sums\n\nCall add(a, b) for the sum of two numbers.\n' };

describe('a task without hidden tests', () => {
  it('that asks for tests is judged by mutants of the code they are about, and shows the tests to nobody', async () => {
    const { prepared, at, handlers, root } = await aPreparedTask({ change: tests });
    const task = await loadPreparedTask(prepared.directory);
    expect(task).toMatchObject({ kind: 'test-writing', tests: { paths: [] } });
    expect(task.verifier).toEqual({
      kind: 'mutation',
      timeoutSec: 300,
      threshold: 0.6,
      sources: ['src/sums.js'],
      mutants: [],
    });
    expect(task.solutionPatch?.toString()).toContain('test/more.test.js');
    expect(readFileSync(at('task.toml'), 'utf8')).toContain('kind = "test-writing"');
    const output = join(root, '..', 'exported');
    await expect(
      handlers.export({ repository: root, task: prepared.id, format: 'harbor', output }, signal),
    ).rejects.toMatchObject({ code: 'task.unsupported', message: expect.stringContaining('test-writing') });
  });

  it('that asks for documentation is judged by a rubric, which it is given to begin with', async () => {
    const { prepared } = await aPreparedTask({ change: readme });
    const task = await loadPreparedTask(prepared.directory);
    expect(task).toMatchObject({ kind: 'documentation', verifier: { kind: 'rubric' } });
    const rubric = await loadRubric(prepared.directory);
    expect(rubric?.weights).toEqual({ tests: 0, rubric: 1, diff: 0 });
    expect(rubric?.criteria.length).toBeGreaterThan(0);
  });

  it('is prepared when it has a rubric, and keeps that', async () => {
    const { root, handlers, task } = await aCreatedTask({ change: { 'src/sums.js': change['src/sums.js'] } });
    const file = join(task.directory, 'tb_meta.json');
    const meta = JSON.parse(readFileSync(file, 'utf8'));
    const rubrics = [{ id: 'named', criterion: 'The function is called subtract.', weight: 3 }];
    writeFileSync(file, JSON.stringify({ ...meta, evaluation: { ...meta.evaluation, rubrics } }));
    const prepared = await handlers.prepare({ repository: root, task: task.id, name: undefined }, signal);
    expect(await loadPreparedTask(prepared.directory)).toMatchObject({ kind: 'code', verifier: { kind: 'rubric' } });
    expect((await loadRubric(prepared.directory))?.criteria).toEqual([
      { id: 'named', text: 'The function is called subtract.', weight: 3 },
    ]);
  });

  it('of documentation may not have its text in the instruction', async () => {
    const sessions = sessionsOf(aCleanSession('Write into the README: Call add(a, b) for the sum of two numbers.'));
    const { root, handlers, task } = await aCreatedTask({ change: readme, deps: { sessions } });
    await expect(handlers.prepare({ repository: root, task: task.id, name: undefined }, signal)).rejects.toMatchObject({
      code: 'task.leak',
      message: expect.stringContaining('Call add(a, b)'),
    });
  });
});
