import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { changeHandlers } from '../../../../server/bench/reviews/changeHandlers.ts';
import type { RunStore } from '../../../../server/bench/runs/runStore.ts';
import { aRepository, userGit, write } from '../../git/aRepository.ts';
import { aCleanSession, sessionsOf } from '../../tasks/aSession.ts';
import { library, prompt, signal } from '../../tasks/aTask.ts';

const none = (): never => {
  throw new Error('No trial here.');
};

it('shows what a recorded session changed before it is a task, and takes nothing for it that it did not leave', async () => {
  const root = aRepository(library);
  const [path = ''] = Object.keys(library).filter(name => name.endsWith('.js'));
  const now = Date.now();
  const times = {
    started_at: new Date(now + 60_000).toISOString(),
    ended_at: new Date(now + 120_000).toISOString(),
  };
  const session = { ...aCleanSession(prompt, 'session-1'), repository: root, ...times };
  const sessions = sessionsOf(session);
  const handlers = changeHandlers({ store: {} as RunStore, sessions, requireTrial: none, taskOf: none });
  const where = { repository: root, sessionId: 'session-1' };
  expect((await handlers.session(where, signal)).files).toEqual([]);

  const before = readFileSync(join(root, path), 'utf8');
  write(root, { [path]: `${before}// changed\n`, 'new.txt': 'new\n' });
  const index = userGit(root, 'ls-files', '--stage');
  const { files, notes } = await handlers.session(where, signal);
  expect(files.map(file => [file.path, file.status]).sort()).toEqual(
    [
      ['new.txt', 'added'],
      [path, 'modified'],
    ].sort(),
  );
  expect(files.find(file => file.path === path)?.hunks).toHaveLength(1);
  expect(notes).toContainEqual(expect.stringContaining('as they are now'));
  const text = async (side: 'start' | 'agent') => {
    const { contentBase64 } = await handlers.sessionFile({ ...where, side, path }, signal);
    return Buffer.from(contentBase64 ?? '', 'base64').toString();
  };
  expect([await text('start'), await text('agent')]).toEqual([before, `${before}// changed\n`]);
  expect(userGit(root, 'ls-files', '--stage'), 'the repository is only read').toBe(index);
});
