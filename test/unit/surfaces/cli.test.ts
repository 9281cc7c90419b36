import { Command } from 'commander';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type Api, serve } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { channelPair } from '../../../protocol/channels/pair.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { ProxyStatus, proxy } from '../../../protocol/proxy.ts';
import { RunLimits, runs } from '../../../protocol/runs.ts';
import { server } from '../../../protocol/server.ts';
import { sessions } from '../../../protocol/sessions.ts';
import { tasks } from '../../../protocol/tasks.ts';
import { noUsage } from '../../../protocol/usage.ts';
import { addDerivedCommand, addDerivedCommands } from '../../../server/surfaces/cli/derived.ts';
import { numberOf } from '../../../server/surfaces/cli/numberOptions.ts';
import { toText } from '../../../server/surfaces/cli/render.ts';
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
  const exits: number[] = [];
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
    exit: code => void exits.push(code),
  });
  await program.parseAsync(argv, { from: 'user' });
  return { terminal, seen, exits };
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
      exit: () => undefined,
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

it('fails where the answer is that something is not as it should be', async () => {
  expect((await runTaskCommand(['task', 'check'])).exits).toEqual([1]);
  expect((await runTaskCommand(['task', 'check', '--json'])).exits).toEqual([1]);
  expect((await runTaskCommand(['task', 'start', 'A title'])).exits).toEqual([]);
  expect(tasks.members.check.isFailure({ ready: true, findings: [] })).toBe(false);
  expect([true, false].map(ok => proxy.members.test.isFailure({ ok, steps: [] }))).toEqual([false, true]);
});

/** What a command of an api prints, and how it asks for the server, of which none runs. */
async function withoutServer(api: Api, ...argv: string[]) {
  const terminal = aTerminal();
  const asked: unknown[] = [];
  const exits: number[] = [];
  const connect = (name: string, answer: unknown) => async (_work: unknown, unheld: unknown) => {
    asked.push([name, unheld]);
    return answer as never;
  };
  const program = new Command().exitOverride();
  addDerivedCommands(program, api, {
    terminal,
    withServer: connect('started', aProxyStatus),
    withRunningServer: connect('running', null),
    withLastingServer: connect('lasting', null),
    exit: code => void exits.push(code),
  });
  await program.parseAsync(argv, { from: 'user' });
  return { asked, printed: terminal.out.join('\n'), exits };
}

const aProxyStatus = ProxyStatus.parse({
  ...{ state: 'listening', host: '127.0.0.1', port: 9, caFile: '/nowhere/ca.pem', bundleFile: '/b', exchanges: 7 },
  ...{ openConnections: 0, uncaptured: 0, error: null, limits: [{ scope: 'day', unit: 'usd', limit: 5, used: 1 }] },
});

it('starts no server in order to tell how it is', async () => {
  for (const [api, name] of [
    [server, 'server'],
    [proxy, 'proxy'],
  ] as const) {
    const words = await withoutServer(api, name, 'status');
    expect(words).toEqual({
      asked: [['running', undefined]],
      printed: 'No background server runs.',
      exits: [],
    });
    expect((await withoutServer(api, name, 'status', '--json')).printed).toBe('null');
  }
});

it('starts the proxy only with the budget that is asked for here', async () => {
  const { asked, printed } = await withoutServer(proxy, 'proxy', 'start');
  expect(asked).toEqual([['started', 'refused']]);
  expect(printed).toContain('limit: This day (UTC) may use $5.00 and has used $1.00 of it.');
});

it('counts who else uses the server, and names no certificate authority that is not there yet', () => {
  const info = { version: '1.0.0', pid: 1, home: '/', startedAt: '2026-01-01T00:00:00Z', clients: 1, runningTrials: 0 };
  expect(toText(server.members.status, { ...info, log: '', outerProxy: null, settings: {} })).toContain(
    'other clients: 0, running trials: 0',
  );
  const proxyText = toText(proxy.members.status, aProxyStatus);
  expect(proxyText).toContain('exchanges recorded since the server started: 7');
  expect(proxyText).toContain('certificate authority: none yet');
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
    const exit = () => undefined;
    addDerivedCommands(program, sessions, {
      ...{ terminal, exit, withServer, withRunningServer: withServer, withLastingServer: withServer },
    });
    addDerivedCommand(program, sessions.name, 'stats', sessions.members.stats, {
      ...{ terminal, exit, withServer, withRunningServer: withServer, withLastingServer: withServer },
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
  expect(await refused('stats', '--by', 'day', 'hour')).toBe(
    '--by hour: expected one of day, week, month, model, agent, session, repository, such as --by day model agent.',
  );
  expect(asked).toEqual([]);
});

it('reads numbers within the bounds of the request that they are for', () => {
  const { attempts, retries } = runs.members.start.params.shape;
  const { timeoutSec, maxTokens, maxUsd, idleSec } = RunLimits.shape;
  expect([numberOf(attempts)('5'), numberOf(retries)('0'), numberOf(maxUsd)('0.5')]).toEqual([5, 0, 0.5]);
  for (const [schema, text, words] of [
    [attempts, '0', 'Give a whole number from 1 to 100, such as 1.'],
    [attempts, '', 'Give a whole number from 1 to 100, such as 1.'],
    [attempts, '1.5', 'Give a whole number from 1 to 100, such as 1.'],
    [timeoutSec, 'soon', 'Give a whole number from 1 to 86400, such as 1800.'],
    [maxTokens, '0', 'Give a whole number of at least 1, such as 1.'],
    [maxUsd, '0', 'Give a number above 0.'],
    [idleSec, '-1', 'Give a whole number from 1 to 86400, such as 1.'],
  ] as const) {
    expect(() => numberOf(schema)(text)).toThrow(words);
  }
});
