import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createProtocolConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node';
import { remote } from '../../../protocol/api.ts';
import { runs } from '../../../protocol/runs.ts';
import { requireFeature } from '../../require.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { applied, plainClient } from '../../unit/language/client.ts';
import { aWorld, type World } from '../../world.ts';
import { writeRepository } from '../benchFixture.ts';

vi.setConfig({ testTimeout: 120_000 });

/** An editor at the socket of a real server, and a connection of our own to the same one. */
async function anEditor(world: World) {
  const coach = await world.connect();
  const socket = connect(world.paths.socket);
  const connection = createProtocolConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
  onTestFinished(() => {
    connection.dispose();
    socket.destroy();
  });
  const editor = plainClient(connection);
  const { capabilities } = await editor.initialize();
  return { coach, editor, capabilities };
}

function aRepository() {
  const root = join(temporaryDirectory(), 'numbers');
  writeRepository(root);
  const directory = join(root, '.coach', 'tasks', 'prepared', 'median');
  const text = (path: string) => readFileSync(join(directory, path), 'utf8');
  return { root, directory, text };
}

it('checks a task’s file for an editor that has shown the token', async () => {
  const world = aWorld();
  const { editor, capabilities } = await anEditor(world);
  expect(capabilities).toMatchObject({ hoverProvider: true, codeLensProvider: {}, documentLinkProvider: {} });
  const { directory, text } = aRepository();
  const content = text('task.toml').replace('result_format = "junit"', 'result_format = "junti"');
  const document = await editor.open(join(directory, 'task.toml'), content);
  await editor.hello(readFileSync(world.paths.tokenFile, 'utf8'));
  const [diagnostic] = await editor.diagnostics(document);
  if (diagnostic === undefined) throw new Error('Nothing was found.');
  expect(document.getText(diagnostic.range)).toBe('"junti"');
  expect(applied(document, (await editor.actions(document, diagnostic))[0])).toBe(text('task.toml'));
});

it.skipIf(!requireFeature('sandbox'))('knows the tests of the last run, and leads to its review', async () => {
  const world = aWorld();
  const { coach, editor } = await anEditor(world);
  await editor.hello(readFileSync(world.paths.tokenFile, 'utf8'));
  const { root, directory, text } = aRepository();
  const settings = await editor.open(join(directory, 'task.toml'), text('task.toml'));
  const mistyped = text('tests/expected.json').replace('takes the middle', 'takes teh middle');
  const expected = await editor.open(join(directory, 'tests', 'expected.json'), mistyped);
  const titles = async () => (await editor.lenses(settings)).map(({ command }) => command?.title);
  expect(await titles()).toEqual(['Run', 'Validate']);
  expect(await editor.diagnostics(expected)).toEqual([]);

  const bench = remote(runs, coach.channel);
  const choice = { repository: root, tasks: ['median'], agents: [{ id: 'oracle' }], executor: 'local', unproven: true };
  const { id } = await bench.start(choice);
  await expect.poll(async () => (await bench.show({ runId: id })).run.state, { timeout: 100_000 }).toBe('finished');

  expect(await titles()).toEqual(['Run', 'Validate', 'Review']);
  // Said anew without being asked, as the run has ended.
  await expect.poll(() => editor.lastSaid(expected)?.length, { timeout: 10_000 }).toBe(1);
  const [unknown] = editor.lastSaid(expected) ?? [];
  expect(unknown?.message).toContain('Did you mean "test/median.test.js > takes the middle"?');
});
