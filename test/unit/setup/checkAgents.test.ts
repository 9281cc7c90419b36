import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { coachPaths } from '../../../server/base/paths.ts';
import { checkAgents } from '../../../server/setup/checks/agents.ts';
import { temporaryDirectory } from '../../temporary.ts';

/** What is said of `codex` when that is this program. */
async function saidOf(program: string) {
  const home = temporaryDirectory();
  mkdirSync(join(home, 'bin'));
  writeFileSync(join(home, 'bin', 'codex'), program, { mode: 0o755 });
  const found = await foundIn(home);
  return found.filter(({ where }) => where === join(home, 'bin', 'codex'));
}

function foundIn(home: string) {
  const env = { HOME: home, PATH: [join(home, 'bin'), '/usr/bin', '/bin'].join(delimiter) };
  return checkAgents({ env, cwd: home, paths: coachPaths(env), server: null, signal: new AbortController().signal });
}

it('tells the version of an agent', async () => {
  expect(await saidOf('#!/bin/sh\necho codex-cli 0.99')).toMatchObject([
    { level: 'ok', what: expect.stringMatching(/: codex-cli 0\.99$/) },
  ]);
});

it('calls a shim that needs HOME not broken', async () => {
  expect(await saidOf('#!/bin/sh\nexec "$HOME/.shims/codex" "$@"\n')).toMatchObject([
    { level: 'warning', why: expect.stringContaining('.shims/codex'), fix: expect.stringContaining('codex --version') },
  ]);
});

it('calls a program broken that can not be started', async () => {
  expect(await saidOf('#!/no/such/interpreter\n')).toMatchObject([{ level: 'broken', fix: 'Install it again.' }]);
});

it('warns of the background server that all terminals of Codex share, while it runs', async () => {
  const home = temporaryDirectory();
  const directory = join(home, '.codex', 'app-server-control');
  mkdirSync(directory, { recursive: true });
  const server = createServer().listen(join(directory, 'app-server-control.sock'));
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const fix = expect.stringContaining('codex --no-daemon');
  expect(await foundIn(home)).toContainEqual(expect.objectContaining({ level: 'warning', fix }));
  server.close();
  expect(await foundIn(home)).not.toContainEqual(expect.objectContaining({ level: 'warning' }));
});
