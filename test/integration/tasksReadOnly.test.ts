import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coachPaths } from '../../server/base/paths.ts';
import { taskHandlers } from '../../server/tasks/handlers.ts';
import { createSampleRepository } from '../../server/tasks/sampleProject.ts';
import { aDirectory, write } from '../unit/git/aRepository.ts';
import { taskDeps } from '../unit/tasks/aSession.ts';
import { aCreatedTask, change, signal } from '../unit/tasks/aTask.ts';

/** A disk of its own, filled by `fill` and then read-only. Permission bits prove nothing to root; a mount does. */
function readOnlyDisk(fill: (directory: string) => void): string {
  const directory = aDirectory('coach-disk');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', directory]);
  mounted.push(directory);
  fill(directory);
  execFileSync('mount', ['-o', 'remount,ro', directory]);
  return directory;
}

const mounted: string[] = [];

function canMount(): boolean {
  try {
    const directory = aDirectory('coach-disk');
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', directory], { stdio: 'ignore' });
    execFileSync('umount', [directory]);
    return true;
  } catch {
    console.log('SKIPPED read-only disk: this user may not mount a file system');
    return false;
  }
}

const contents = (directory: string) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .map(file => [file, readFileSync(file, 'hex')]);

describe.skipIf(!canMount())('a read-only disk', () => {
  let repository = '';
  let taskId = '';

  beforeAll(async () => {
    const { root, task } = await aCreatedTask();
    taskId = task.id;
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qam', 'x'], { cwd: root });
    repository = readOnlyDisk(directory => cpSync(root, directory, { recursive: true, verbatimSymlinks: true }));
  });

  afterAll(() => {
    for (const directory of mounted) execFileSync('umount', [directory]);
  });

  it('under the repository: nothing can be recorded or prepared, and that is said', async () => {
    const handlers = taskHandlers(taskDeps());
    const before = contents(repository);
    const spec = { repository, title: 'x', notes: '', labels: [] };
    await expect(handlers.start(spec, signal)).rejects.toMatchObject({
      code: 'disk.readOnly',
      hint: expect.any(String),
    });
    const prepare = { repository, task: taskId, name: undefined };
    await expect(handlers.prepare(prepare, signal)).rejects.toMatchObject({ code: 'disk.readOnly' });
    expect((await handlers.check({ repository, tests: false, executor: 'auto' }, signal)).ready).toBe(true);
    expect((await handlers.list({ repository }, signal)).rows).toHaveLength(1);
    expect(contents(repository)).toEqual(before);
  });

  it('under COACH_HOME: nothing can be recorded, and the repository stays as it is', async () => {
    const paths = coachPaths({
      COACH_HOME: join(
        readOnlyDisk(() => undefined),
        'home',
      ),
    });
    const handlers = taskHandlers(taskDeps({ paths }));
    const { root } = await aCreatedTask();
    execFileSync('git', ['add', '-A'], { cwd: root });
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'x'], { cwd: root });
    const before = contents(root);
    const spec = { repository: root, title: 'x', notes: '', labels: [] };
    await expect(handlers.start(spec, signal)).rejects.toMatchObject({
      code: 'disk.readOnly',
      hint: expect.stringContaining('COACH_HOME'),
    });
    expect(contents(root)).toEqual(before);
  });

  it('under the sample: it is not made', async () => {
    const disk = readOnlyDisk(() => undefined);
    const sample = join(import.meta.dirname, '../../media/sample');
    await expect(createSampleRepository(join(disk, 'sample'), sample)).rejects.toMatchObject({ code: 'disk.readOnly' });
  });

  it('that is full: the recording goes on and no half task is left', async () => {
    const root = aDirectory('coach-disk');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', root]);
    mounted.push(root);
    const repositoryRoot = join(root, 'sample');
    await createSampleRepository(repositoryRoot, join(import.meta.dirname, '../../media/sample'));
    const handlers = taskHandlers(taskDeps());
    await handlers.start({ repository: repositoryRoot, title: 'x', notes: '', labels: [] }, signal);
    write(repositoryRoot, change);
    try {
      write(root, { filler: Buffer.alloc(4 * 1024 * 1024) });
    } catch {
      // Full, as wanted.
    }
    const end = { repository: repositoryRoot, summary: '', labels: [] };
    await expect(handlers.end(end, signal)).rejects.toMatchObject({ code: 'disk.full' });
    expect(readdirSync(join(repositoryRoot, '.coach', 'tasks', 'created'))).toEqual([]);
    expect((await handlers.recording({ repository: repositoryRoot }, signal)).recording).not.toBeNull();
  });
});
