import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commands } from '../../../client/contributions.ts';
import { fileCommands } from '../../../protocol/taskFiles.ts';
import { tasks } from '../../../protocol/tasks.ts';
import { aServer, aTask, behindPipe, goodToml } from './client.ts';

it('says nothing about an open file before the client has shown the token', async () => {
  let loaded = 0;
  const taskFiles = () => {
    loaded += 1;
    return Promise.reject(new Error('Asked for too early.'));
  };
  const client = behindPipe(taskFiles);
  await client.initialize();
  const document = await client.open(join(aTask('prepared'), 'task.toml'), 'wrong');
  let answered = false;
  const asked = client.lenses(document).finally(() => {
    answered = true;
  });
  asked.catch(() => undefined);
  await expect(client.hello('guessed')).rejects.toMatchObject({ data: { code: 'server.denied' } });
  expect({ loaded, answered, heard: client.hasHeard(document) }).toEqual({ loaded: 0, answered: false, heard: false });
});

it('loads the language with the first file of a task, and not for others', async () => {
  const client = await aServer();
  const directory = aTask('prepared');
  const foreign = await client.open(join(directory, '..', '..', '..', '..', 'task.toml'), 'not = [ours');
  expect(await client.diagnostics(foreign)).toEqual([]);
  expect(await client.lenses(foreign)).toEqual([]);
});

it('forgets what it said when a file is closed', async () => {
  const client = await aServer();
  const document = await client.open(join(aTask('prepared'), 'task.toml'), 'wrong');
  expect(await client.diagnostics(document)).not.toEqual([]);
  await client.connection.sendNotification('textDocument/didClose', { textDocument: { uri: document.uri } });
  await expect.poll(() => client.lastSaid(document)).toEqual([]);
  expect(await client.lenses(document)).toBeNull();
});

it('looks again after a validation', async () => {
  const client = await aServer();
  const document = await client.open(join(aTask('prepared'), 'task.toml'), goodToml);
  await client.diagnostics(document);
  const before = client.said();
  client.bus.publish(tasks, 'changed', { repository: '/' });
  await expect.poll(() => client.said()).toBeGreaterThan(before);
});

it('offers only commands that the editor has', () => {
  const known = Object.keys(commands).map(name => `codexCoach.${name}`);
  expect(known).toEqual(expect.arrayContaining(Object.values(fileCommands)));
});
