import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Script } from '../../../server/proxy/replay/scripted.ts';
import { loadPreparedTask } from '../../../server/tasks/format.ts';
import { taskHandlers } from '../../../server/tasks/handlers.ts';
import { createSampleRepository } from '../../../server/tasks/sampleProject.ts';
import { aDirectory, userGit } from '../git/aRepository.ts';
import { applyAgentPatch } from './agentPatch.ts';
import { aCleanSession, sessionsOf, taskDeps } from './aSession.ts';
import { signal } from './aTask.ts';

const sample = join(import.meta.dirname, '../../../media/sample');
const recording = Script.parse(JSON.parse(readFileSync(join(sample, 'recording.json'), 'utf8')));

const nodeTest = (root: string) =>
  execFileSync(process.execPath, ['--test', '--test-reporter=tap'], {
    cwd: root,
    env: { PATH: process.env['PATH'] },
    encoding: 'utf8',
  });

/** What the scripted agent does to the files. */
function work(root: string): void {
  for (const item of recording.steps.flatMap(step => step.respond)) {
    if (item.type === 'custom_tool_call') applyAgentPatch(root, String(item['input']));
  }
}

describe('the sample project', () => {
  it('is the same repository every time, with a history in which every commit passes its tests', async () => {
    const [first, second] = [join(aDirectory(), 'sample'), join(aDirectory(), 'sample')];
    expect(await createSampleRepository(first, sample)).toEqual(await createSampleRepository(second, sample));
    const commits = userGit(first, 'rev-list', 'HEAD').trim().split('\n');
    expect(commits.length).toBeGreaterThanOrEqual(4);
    expect(userGit(first, 'status', '--porcelain')).toBe('');
    for (const commit of commits) {
      userGit(first, 'checkout', '-q', commit);
      expect(nodeTest(first)).toMatch(/^# fail 0$/m);
    }
  });

  it('has enough tests to guard what works, and lacks what the recorded session adds', async () => {
    const root = join(aDirectory(), 'sample');
    await createSampleRepository(root, sample);
    expect(Number(/^# tests (\d+)$/m.exec(nodeTest(root))?.[1])).toBeGreaterThanOrEqual(8);
    expect(userGit(root, 'log', '--all', '-p')).not.toContain('allocate');
    work(root);
    expect(nodeTest(root)).toMatch(/^# fail 0$/m);
  });

  it('becomes a prepared task by its recorded session', async () => {
    const root = join(aDirectory(), 'sample');
    await createSampleRepository(root, sample);
    const handlers = taskHandlers(taskDeps({ sessions: sessionsOf(aCleanSession(recording.prompt)) }));
    expect((await handlers.check({ repository: root, tests: false, executor: 'auto' }, signal)).ready).toBe(true);
    await handlers.start({ repository: root, title: recording.title, notes: '', labels: [] }, signal);
    work(root);
    const created = await handlers.end({ repository: root, summary: '', labels: [] }, signal);
    const { directory } = await handlers.prepare({ repository: root, task: created.id, name: undefined }, signal);
    const task = await loadPreparedTask(directory);
    expect(task.instruction).toBe(recording.prompt);
    expect(task.solutionPatch?.toString()).toContain('src/allocate.js');
    expect(task.solutionPatch?.toString()).not.toContain('allocate.test.js');
    expect(task.tests.paths).toContain('test/allocate.test.js');
  });

  it('is made anew each time it is asked for, and its last commit becomes a prepared task', async () => {
    const handlers = taskHandlers(taskDeps());
    const first = await handlers.sample({}, signal);
    const second = await handlers.sample({}, signal);
    expect(second.repository).not.toBe(first.repository);
    const { task } = await handlers.from({ repository: first.repository, source: 'HEAD', labels: [] }, signal);
    const prepared = await handlers.prepare({ repository: first.repository, task: task.id, name: undefined }, signal);
    expect(prepared.state).toBe('prepared');
    expect((await loadPreparedTask(prepared.directory)).tests.paths).toContain('test/amount.test.js');
  });

  it('is recorded with commands whose outputs do not depend on the machine', () => {
    const commands = recording.steps.flatMap(step => step.respond).filter(item => item.type === 'function_call');
    expect(commands.length).toBeGreaterThanOrEqual(3);
    for (const command of commands) expect(JSON.parse(String(command['arguments']))).toMatchObject({ login: false });
    expect(JSON.stringify(recording)).not.toMatch(/\/tmp\/|\/home\/|\/root\//);
  });
});
