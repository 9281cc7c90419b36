import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCreatedTask } from '../../../../server/tasks/createdTask.ts';
import { taskHandlers } from '../../../../server/tasks/handlers.ts';
import type { SessionSource } from '../../../../server/tasks/sessionSource.ts';
import type { CleanSession } from '../../../../server/traces/exports/export.ts';
import { aRepository, makeHostile, userGit, write } from '../../git/aRepository.ts';
import { aCleanSession, sessionsOf, taskDeps } from '../aSession.ts';
import { change, library, prompt, signal } from '../aTask.ts';

/** A repository, and a session that worked in it within the hour. */
function aPastSession(over: Partial<CleanSession> = {}, source: Partial<SessionSource> = {}) {
  const root = aRepository(library);
  const base = userGit(root, 'rev-parse', 'HEAD').trim();
  const now = Date.now();
  const session: CleanSession = {
    ...aCleanSession(prompt, 'session-1'),
    repository: root,
    started_at: new Date(now + 60_000).toISOString(),
    ended_at: new Date(now + 120_000).toISOString(),
    ...over,
  };
  const handlers = taskHandlers(taskDeps({ sessions: { ...sessionsOf(session), ...source } }));
  const from = (more = {}) => handlers.from({ repository: root, source: 'session-1', labels: [], ...more }, signal);
  return { root, base, handlers, from };
}

describe('a task from a recorded session', () => {
  it('goes from where the head was to the files as they are, and keeps the session', async () => {
    const { root, base, from } = aPastSession();
    write(root, change);
    const { task, source, notes } = await from();
    expect(source).toBe('session');
    expect(notes).toEqual([expect.stringContaining('log'), expect.stringContaining('as they are now')]);
    const created = await loadCreatedTask(task.directory);
    expect(created.sessionId).toBe('session-1');
    expect(created.meta).toMatchObject({ lm: { instructions: prompt }, repo: { start_commit_sha: base } });
    expect(created.patch.toString()).toContain('test/subtract.test.js');
  });

  it('prefers the commit that the agent wrote down', async () => {
    const { root, base, from } = aPastSession({}, { startCommit: async () => recorded });
    const recorded = base;
    userGit(root, 'commit', '-q', '--allow-empty', '-m', 'Before the session');
    write(root, change);
    const { task, notes } = await from();
    expect(notes[0]).toContain('as it was recorded');
    expect((await loadCreatedTask(task.directory)).meta.repo.start_commit_sha).toBe(base);
  });

  it('asks for the start, or the end, where nothing tells it, naming the flag', async () => {
    const old = { started_at: '2001-01-01T00:00:00.000Z', ended_at: '2001-01-01T01:00:00.000Z' };
    const { root, base, from } = aPastSession(old);
    write(root, change);
    await expect(from()).rejects.toMatchObject({ code: 'input.invalid', hint: expect.stringContaining('--base') });
    userGit(root, 'add', '-A');
    userGit(root, 'commit', '-qm', 'Its work');
    await expect(from({ base })).rejects.toMatchObject({
      code: 'input.invalid',
      hint: expect.stringContaining('--end'),
    });
    const { task } = await from({ base, end: 'HEAD' });
    const { files } = await taskHandlers(taskDeps()).show({ repository: root, task: task.id }, signal);
    expect(files).toEqual(['src/sums.js', 'test/subtract.test.js']);
    await expect(from({ base, end: 'missing' })).rejects.toMatchObject({
      message: expect.stringContaining('--end missing'),
    });
  });

  it('asks for all that was wanted, not only what was said first', async () => {
    const said = (text: string) => ({ role: 'user', text, exchange: 'x' }) as const;
    const messages = [
      said('# AGENTS.md instructions'),
      said(prompt),
      said('ok'),
      said('It must throw on text.'),
      said(prompt),
    ];
    const { root, handlers, from } = aPastSession({ messages });
    write(root, change);
    const { task } = await from();
    const { instruction } = await handlers.show({ repository: root, task: task.id }, signal);
    expect(instruction).toBe(`${prompt}\n\nIt must throw on text.`);
  });

  it('names files that the session itself did not edit', async () => {
    const input = JSON.stringify({ file_path: 'src/sums.js' });
    const tool = { role: 'tool', name: 'Edit', call_id: null, input, output: null, exchange: 'x' } as const;
    const { root, from } = aPastSession({ messages: [...aCleanSession(prompt).messages, tool] });
    write(root, change);
    expect((await from()).notes.at(-1)).toContain('test/subtract.test.js');
  });

  it('refuses a session of another repository', async () => {
    const { from } = aPastSession({ repository: aRepository() });
    await expect(from()).rejects.toMatchObject({
      code: 'input.invalid',
      hint: expect.stringContaining('--repository'),
    });
  });

  it('runs no filter of a hostile repository, and takes CRLF files as its commits have them', async () => {
    const { root, from } = aPastSession();
    const hostile = makeHostile(root);
    userGit(root, 'config', 'core.autocrlf', 'true');
    hostile.forget();
    write(root, { ...change, 'test/add.test.js': library['test/add.test.js'].replaceAll('\n', '\r\n') });
    const { task } = await from();
    expect(hostile.ran()).toEqual([]);
    const patch = (await loadCreatedTask(task.directory)).patch.toString();
    expect(patch).not.toContain('add.test.js');
    expect(patch).toContain('subtract.test.js');
    expect(patch).not.toContain(join('.coach', 'tasks'));
  });
});
