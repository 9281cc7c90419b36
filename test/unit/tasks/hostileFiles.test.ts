import { existsSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCreatedTask } from '../../../server/tasks/createdTask.ts';
import { loadCoachMetadata, loadPreparedTask } from '../../../server/tasks/format.ts';
import { taskHandlers } from '../../../server/tasks/handlers.ts';
import { aDirectory, aRepository, userGit, write } from '../git/aRepository.ts';
import { taskDeps } from './aSession.ts';
import { aCreatedTask, aPreparedTask, change, library, signal } from './aTask.ts';

const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const startSpec = (repository: string) => ({ repository, title: 'Subtract', notes: '', labels: [] });
const endSpec = (repository: string) => ({ repository, summary: '', labels: [] });

/** Moves a path out of its place and leaves a link to it there. */
function linkAway(path: string): void {
  const outside = join(aDirectory('coach-outside'), basename(path));
  renameSync(path, outside);
  symlinkSync(outside, path);
}

const refusal = (name: string) => ({
  code: 'task.invalid',
  message: expect.stringContaining(name),
  hint: expect.stringContaining('copy'),
});

describe('a link in a task', () => {
  it.each([
    'instruction.md',
    'task.toml',
    'environment',
    'environment/repo.bundle',
    'tests/files',
    'tests/files/test/add.test.js',
    'solution/solution.patch',
  ])('is refused in a prepared one: %s', async path => {
    const { prepared, at, handlers, root } = await aPreparedTask();
    linkAway(at(path));
    await expect(loadPreparedTask(prepared.directory)).rejects.toMatchObject(refusal(path));
    await expect(loadCoachMetadata(prepared.directory)).rejects.toMatchObject(refusal(path));
    const { rows } = await handlers.list({ repository: root }, signal);
    expect(rows.find(row => row.id === prepared.id)?.problem).toContain(path);
  });

  it('is refused where the whole task is one', async () => {
    const { prepared } = await aPreparedTask();
    linkAway(prepared.directory);
    await expect(loadPreparedTask(prepared.directory)).rejects.toMatchObject(refusal(prepared.id));
  });

  it.each(['tb_meta.json', 'diff.patch', 'trace', 'evaluation/start.bundle'])(
    'is refused in a created one: %s',
    async path => {
      const { task, handlers, root } = await aCreatedTask();
      linkAway(join(task.directory, path));
      await expect(loadCreatedTask(task.directory)).rejects.toMatchObject(refusal(path));
      const prepare = { repository: root, task: task.id, name: undefined };
      await expect(handlers.prepare(prepare, signal)).rejects.toMatchObject(refusal(path));
    },
  );

  it.each(['.coach', '.coach/tasks', '.coach/tasks/created'])(
    'is refused as the place of tasks, and nothing is written through it: %s',
    async place => {
      const { root, handlers } = await aCreatedTask();
      userGit(root, 'add', '-A');
      userGit(root, 'commit', '-qm', 'With the task');
      const outside = aDirectory('coach-outside');
      rmSync(join(root, place), { recursive: true });
      symlinkSync(outside, join(root, place));
      userGit(root, 'add', '-A');
      userGit(root, 'commit', '-qm', 'With a link');
      for (const call of [
        () => handlers.start(startSpec(root), signal),
        () => handlers.end(endSpec(root), signal),
        () => handlers.list({ repository: root }, signal),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'task.invalid', message: expect.stringContaining(place) });
      }
      expect(readdirSync(outside)).toEqual([]);
    },
  );
});

describe('a recording that came with the repository', () => {
  /** A recording as it lies in the file, changed, in a repository where something else has changed too. */
  async function planted(changes: (root: string) => object) {
    const root = aRepository(library);
    const handlers = taskHandlers(taskDeps());
    await handlers.start(startSpec(root), signal);
    write(root, change);
    const file = join(root, '.coach', 'recording.json');
    const recording = JSON.parse(readFileSync(file, 'utf8')) as { taskId: string };
    writeFileSync(file, JSON.stringify({ ...recording, ...changes(root) }));
    return { root, handlers, recording };
  }
  const missing = { code: 'recording.missing', hint: expect.stringContaining('discard') };

  it('does not decide where the task is written', async () => {
    const outside = join(aDirectory('coach-outside'), 'target');
    const { root, handlers, recording } = await planted(() => ({ directory: outside }));
    const task = await handlers.end(endSpec(root), signal);
    expect(task.directory).toBe(join(root, '.coach', 'tasks', 'created', recording.taskId));
    expect(existsSync(outside)).toBe(false);
  });

  it.each(['../../../../outside', '/etc/task', '.hidden', 'a/b'])('can’t name its task %s', async taskId => {
    const { root, handlers } = await planted(() => ({ taskId }));
    await expect(handlers.end(endSpec(root), signal)).rejects.toMatchObject({
      code: 'task.invalid',
      hint: expect.stringContaining('discard'),
    });
  });

  it('is refused when it is of another repository', async () => {
    const { root, handlers } = await planted(() => ({ repository: aDirectory() }));
    await expect(handlers.end(endSpec(root), signal)).rejects.toMatchObject(missing);
    expect((await handlers.check({ repository: root, tests: false, executor: 'auto' }, signal)).ready).toBe(false);
    expect(await handlers.discard({ repository: root }, signal)).toEqual({ discarded: true });
    await handlers.discard({ repository: root }, signal);
  });

  it('is refused when its start was not recorded here, be it the empty tree that every store knows', async () => {
    for (const changes of [{ startTree: emptyTree }, { taskId: 'another-name' }]) {
      const { root, handlers } = await planted(() => changes);
      await expect(handlers.end(endSpec(root), signal)).rejects.toMatchObject(missing);
      expect(existsSync(join(root, '.coach', 'tasks'))).toBe(false);
    }
  });
});
