import { Command } from 'commander';
import { expect, it } from 'vitest';
import { CoachError } from '../../../protocol/errors.ts';
import type { CommandContext } from '../../../server/surfaces/cli/derived.ts';
import { addReplayCommand, replayProblems } from '../../../server/surfaces/cli/replay.ts';
import type { Terminal } from '../../../server/surfaces/cli/terminal.ts';

/** What is said of a command line, without any program on PATH. */
async function fault(...argv: string[]): Promise<CoachError> {
  const terminal = {
    env: { PATH: '' },
    cwd: '/',
    note: () => undefined,
    print: () => undefined,
  } as unknown as Terminal;
  const program = new Command().exitOverride().enablePositionalOptions();
  addReplayCommand(program, { terminal } as CommandContext, () => undefined);
  const error = await program.parseAsync(['replay', ...argv], { from: 'user' }).catch((thrown: unknown) => thrown);
  return CoachError.from(error);
}

it('says where options stand, when one follows the session', async () => {
  expect(await fault('01a20551', '--pace', 'recorded', '--', 'codex')).toMatchObject({
    code: 'input.invalid',
    message: '--pace: options stand before the session.',
  });
});

it('says that a command is missing where none follows', async () => {
  expect(await fault('latest', '--')).toMatchObject({
    code: 'input.invalid',
    message: 'After -- the command is missing that the recording is to answer.',
  });
});

it.each([
  ['01a20551', '--', 'codex', '--pace'],
  ['--pace', 'recorded', '01a20551', '--', 'codex'],
  ['01a20551', 'codex', 'exec'],
])('takes %s %s %s as a session and a program', async (...argv) => {
  expect((await fault(...argv)).message).toBe('No program codex on PATH.');
});

it('calls a replay a success only where somebody knows that the agent kept to the recording', () => {
  expect(replayProblems({ closed: true, mismatches: [] })).toEqual([]);
  expect(replayProblems({ closed: true, mismatches: ['Request 2 is another.'] })).toEqual([
    'the agent left the recording. Request 2 is another.',
  ]);
  expect(replayProblems({ closed: false, mismatches: [] })).toEqual([expect.stringContaining('did not tell')]);
});
