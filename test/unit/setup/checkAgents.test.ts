import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, it } from 'vitest';
import { coachPaths } from '../../../server/base/paths.ts';
import { checkAgents } from '../../../server/setup/checks/agents.ts';
import { temporaryDirectory } from '../../temporary.ts';

/** What is said of `codex` when that is this program. */
async function saidOf(program: string) {
  const home = temporaryDirectory();
  mkdirSync(join(home, 'bin'));
  writeFileSync(join(home, 'bin', 'codex'), program, { mode: 0o755 });
  const env = { HOME: home, PATH: [join(home, 'bin'), '/usr/bin', '/bin'].join(delimiter) };
  const found = await checkAgents({
    env,
    cwd: home,
    paths: coachPaths(env),
    server: null,
    signal: new AbortController().signal,
  });
  return found.filter(({ where }) => where === join(home, 'bin', 'codex'));
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
