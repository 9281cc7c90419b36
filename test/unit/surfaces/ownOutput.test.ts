import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sessions } from '../../../protocol/sessions.ts';
import { tasks } from '../../../protocol/tasks.ts';
import { withOwnOutput } from '../../../server/surfaces/cli/ownOutput.ts';
import { temporaryDirectory } from '../../temporary.ts';

const never = new AbortController().signal;

/** What the server is asked for, which answers a text unless it is to write it itself. */
function aServer() {
  const asked: unknown[] = [];
  const ask = async (params: Readonly<Record<string, unknown>>) => {
    asked.push(params);
    const { output = null } = params;
    return { written: output, sizeBytes: 5, text: output === null ? 'words' : null };
  };
  return { asked, ask };
}

it('leaves files to the server, which may make them', async () => {
  const { asked, ask } = aServer();
  const directory = temporaryDirectory();
  for (const name of ['old', 'new']) {
    if (name === 'old') writeFileSync(join(directory, name), '');
    const params = { sessionId: 's', output: join(directory, name) };
    expect(await withOwnOutput(sessions.members.export, params, ask, never)).toMatchObject({ written: params.output });
    expect(asked.at(-1)).toEqual(params);
  }
});

it.skipIf(process.platform === 'win32')('writes into a pipe of its own, which the server may not know', async () => {
  const { asked, ask } = aServer();
  const output = join(temporaryDirectory(), 'pipe');
  execFileSync('mkfifo', [output]);
  const [read, answer] = await Promise.all([
    readFile(output, 'utf8'),
    withOwnOutput(sessions.members.export, { sessionId: 's', output }, ask, never),
  ]);
  expect(read).toBe('words');
  expect(answer).toEqual({ written: output, sizeBytes: 5, text: null });
  expect(asked).toEqual([{ sessionId: 's' }]);
});

it.skipIf(process.platform === 'win32')('prints what is to go to its standard output', async () => {
  const { ask } = aServer();
  const answer = await withOwnOutput(sessions.members.export, { sessionId: 's', output: '/dev/stdout' }, ask, never);
  expect(answer).toMatchObject({ text: 'words' });
});

it('leaves other requests alone', async () => {
  const { asked, ask } = aServer();
  const params = { task: 't', output: temporaryDirectory() };
  await withOwnOutput(tasks.members.export, params, ask, never);
  expect(asked).toEqual([params]);
});
