import { Command } from 'commander';
import { expect, it, onTestFinished, vi } from 'vitest';
import { serve } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { channelPair } from '../../../protocol/channels/pair.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { sessions } from '../../../protocol/sessions.ts';
import { tasks } from '../../../protocol/tasks.ts';
import { noUsage } from '../../../protocol/usage.ts';
import { addDerivedCommand, addDerivedCommands } from '../../../server/surfaces/cli/derived.ts';
import { parseChoice } from '../../../server/surfaces/cli/run.ts';
import { formatTokens, table } from '../../../server/surfaces/cli/table.ts';
import { reportFault, type Terminal } from '../../../server/surfaces/cli/terminal.ts';

function aTerminal(): Terminal & { out: string[]; err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  return {
    out,
    err,
    print: text => void out.push(text),
    note: text => void err.push(text),
    env: {},
    cwd: '/somewhere',
    signal: new AbortController().signal,
    handOver: () => () => undefined,
  };
}

async function runTaskCommand(argv: string[]) {
  const terminal = aTerminal();
  const seen: unknown[] = [];
  const [near, far] = channelPair();
  const recording = {
    taskId: 't1',
    title: 'x',
    repository: '/somewhere',
    startedAt: '2026-01-01T00:00:00.000Z',
    startCommit: 'a'.repeat(40),
    directory: '/somewhere/.coach/tasks/created/t1',
  };
  const handlers = {
    start: (params: unknown) => {
      seen.push(params);
      return recording;
    },
    check: () => ({
      ready: false,
      findings: [
        {
          id: 'dirty',
          severity: 'error' as const,
          message: 'Changes are not committed.',
          hint: 'Commit or stash.',
          fixable: true,
        },
      ],
    }),
  };
  serve(tasks, new Proxy(handlers, { get: (target, name) => target[name as 'start'] ?? (() => ({})) }) as never, near);
  const program = new Command().exitOverride();
  addDerivedCommands(program, tasks, {
    terminal,
    withServer: work => work(far),
    withRunningServer: work => work(far),
    withLastingServer: work => work(far),
  });
  await program.parseAsync(argv, { from: 'user' });
  return { terminal, seen };
}

it('takes a date for the midnight of the terminal’s time zone, wherever the server runs', async () => {
  vi.stubEnv('TZ', 'Asia/Tokyo');
  onTestFinished(() => void vi.unstubAllEnvs());
  const asked: unknown[] = [];
  const request = async (_method: string, params: unknown) => {
    asked.push(params);
    return { rows: [], next: null, sessions: 0, deleted: null };
  };
  const withServer = (work: (channel: Channel) => Promise<never>) => work({ request } as unknown as Channel);
  for (const words of [
    ['list', '--since', '2026-11-23', '--before', '2026-11-23'],
    ['list', '--since', '36h'],
    ['prune', '--before', '2026-11-23T08:00'],
  ]) {
    const program = new Command().exitOverride();
    addDerivedCommands(program, sessions, {
      ...{ terminal: aTerminal(), withServer, withRunningServer: withServer, withLastingServer: withServer },
    });
    await program.parseAsync(['sessions', ...words], { from: 'user' });
  }
  expect(asked).toMatchObject([
    // The cursor of a list looks like no date, but would be left alone.
    { since: '2026-11-22T15:00:00.000Z', before: '2026-11-23' },
    { since: '36h' },
    { before: '2026-11-22T23:00:00.000Z' },
  ]);
});

it('makes a command of each exposed request, with words, flags, defaults and the current directory', async () => {
  const { seen, terminal } = await runTaskCommand([
    'task',
    'start',
    'Add a parser',
    '--labels',
    'a',
    'b',
    '--notes',
    'n',
  ]);
  expect(seen).toEqual([{ repository: '/somewhere', title: 'Add a parser', labels: ['a', 'b'], notes: 'n' }]);
  expect(terminal.out.join('\n')).toContain('codex-coach task end');
});

it('prints JSON when asked and words otherwise', async () => {
  const words = await runTaskCommand(['tasks', 'check', '--repository', 'sub']);
  expect(words.terminal.out.join('\n')).toMatch(/error\s+Changes are not committed\.[\s\S]*Not ready\./);
  const json = await runTaskCommand(['tasks', 'check', '--json']);
  expect(JSON.parse(json.terminal.out.join('\n'))).toMatchObject({ ready: false });
});

it('refuses what the parameters do not allow before anything is sent', async () => {
  await expect(runTaskCommand(['task', 'start', '   '])).rejects.toThrow(/title/);
});

it('reads agent choices', () => {
  expect(parseChoice('codex/gpt-5.5=mine', { replay: 'r.json' })).toEqual({
    id: 'codex',
    model: 'gpt-5.5',
    label: 'mine',
    command: null,
    replay: 'r.json',
  });
  expect(parseChoice('command', { command: `tool --say "two words" '{instruction}'` }).command).toEqual([
    'tool',
    '--say',
    'two words',
    '{instruction}',
  ]);
  expect(() => parseChoice('Not an agent', {})).toThrow(/not an agent/);
});

it('says faults with their next step and exits as documented', () => {
  const terminal = aTerminal();
  expect(
    reportFault(new CoachError('git.noCommit', 'No commit yet.', { hint: 'Commit something.' }), terminal, false),
  ).toBe(1);
  expect(terminal.err).toEqual(['codex-coach: No commit yet.', '  Commit something.']);
  expect(reportFault(new CoachError('input.invalid', 'x'), terminal, false)).toBe(2);
  expect(reportFault(new CoachError('cancelled', 'x'), terminal, true)).toBe(130);
  expect(JSON.parse(terminal.out[0] ?? '')).toEqual({ error: { code: 'cancelled', message: 'x', hint: null } });
});

it('shows a missing figure as a dash, never as 0', () => {
  expect(formatTokens(noUsage)).toBe('–');
  expect(formatTokens({ ...noUsage, outputTokens: 1234 })).toBe('1,234');
  expect(table(['A', 'Number'], [['x', '1']], ['left', 'right'])).toBe('A  Number\nx       1');
});

it('says what an option takes, with its name, what was given and an example, before it asks a server', async () => {
  const asked: unknown[] = [];
  const withServer = async (work: unknown) => asked.push(work) as never;
  const refused = async (...argv: string[]) => {
    const program = new Command().exitOverride();
    const terminal = aTerminal();
    addDerivedCommands(program, sessions, {
      ...{ terminal, withServer, withRunningServer: withServer, withLastingServer: withServer },
    });
    addDerivedCommand(program, sessions.name, 'stats', sessions.members.stats, {
      ...{ terminal, withServer, withRunningServer: withServer, withLastingServer: withServer },
    });
    const error = await program.parseAsync(argv, { from: 'user' }).catch((fault: unknown) => fault);
    return error instanceof CoachError && error.code === 'input.invalid' ? error.message : error;
  };
  const limit = 'expected a whole number from 1 to 500, such as --limit 50.';
  expect(await refused('sessions', 'list', '--limit', 'abc')).toBe(`--limit abc: ${limit}`);
  expect(await refused('sessions', 'list', '--limit', '0')).toBe(`--limit 0: ${limit}`);
  expect(await refused('sessions', 'list', '--limit', '1e9')).toBe(`--limit 1e9: ${limit}`);
  expect(await refused('sessions', 'list', '--since', 'soon')).toBe(
    '--since soon: give a date such as 2026-11-21, or an age such as 36h or 7d.',
  );
  expect(await refused('sessions', 'events', 'x', '--number', '0')).toBe(
    '--number 0: expected a whole number of at least 1, such as --number 1.',
  );
  expect(await refused('sessions', 'show', '')).toBe('<session-id> "": expected something that is not empty.');
  expect(await refused('sessions', 'export', 'x', '--format', 'pdf')).toBe(
    '--format pdf: expected one of clean, atif, otlp, html, such as --format clean.',
  );
  expect(await refused('stats', '--by', 'day', 'week')).toBe(
    '--by week: expected one of day, model, agent, session, repository, such as --by day model agent.',
  );
  expect(asked).toEqual([]);
});
