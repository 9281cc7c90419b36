import { Command } from 'commander';
import { expect, it } from 'vitest';
import { codexNamesake, refuseUnknownHelp } from '../../../server/surfaces/cli/codexNamesake.ts';
import { portNumber } from '../../../server/surfaces/cli/numberOptions.ts';
import { checkSlashArguments, refuseForgottenSlash, slashCommands } from '../../../server/surfaces/cli/slash.ts';

function ours(): Command {
  const program = new Command();
  program.command('review').command('comment');
  program.command('agents').alias('agent').command('list');
  program.command('mcp');
  program.command('trace');
  program.command('ca');
  return program;
}

it.each([
  [['review', '--uncommitted'], 'codex-coach codex review --uncommitted'],
  [['mcp', 'list'], 'codex-coach codex mcp list'],
  [['agents', 'two words'], "codex-coach codex agents 'two words'"],
])('leads %j to Codex’s command of the same name', (argv, way) => {
  expect(codexNamesake(ours(), argv)).toContain(way);
});

it.each([[['review', 'comment', '--foo']], [['agents', 'list', '--foo']], [['trace', '--foo']]])(
  'knows %j as our own',
  argv => {
    expect(codexNamesake(ours(), argv)).toBeNull();
  },
);

it('says that there is no command on which help is wanted, and where Codex’s own is', () => {
  expect(() => refuseUnknownHelp(ours(), ['help', 'exec'])).toThrow(
    expect.objectContaining({
      code: 'input.invalid',
      message: 'There is no command exec.',
      hint: expect.stringContaining('codex-coach codex help exec'),
    }),
  );
  for (const argv of [['help'], ['help', 'trace'], ['help', 'agent'], ['help', '/stats'], ['trace', 'foo'], []]) {
    refuseUnknownHelp(ours(), argv);
  }
});

it.each([
  ['/status', 'x', '--json or nothing'],
  ['/logs', '--foo', '--follow or nothing'],
  ['/now', '--json', 'no arguments'],
])('refuses %s %s', (word, arg, taken) => {
  expect(() => checkSlashArguments(word, [arg])).toThrow(
    expect.objectContaining({
      code: 'input.invalid',
      message: `${word} does not take ${arg}.`,
      hint: `It takes ${taken}.`,
    }),
  );
  checkSlashArguments(word, []);
});

it.each([
  ['status', '/status'],
  ['Logs', '/logs'],
  ['stat', '/stats'],
  ['sttaus', '/status'],
  ['agnets', 'agents'],
  ['tracee', 'trace'],
])('asks whether %s alone is %s before it is a prompt', (word, meant) => {
  expect(() => refuseForgottenSlash(ours(), [word])).toThrow(
    expect.objectContaining({
      code: 'input.invalid',
      hint: `Did you mean codex-coach ${meant}? To give it to Codex: codex-coach codex ${word}`,
    }),
  );
});

it.each([
  [['status', 'of', 'the', 'build']],
  [['fix']],
  [['status?']],
  [['what is the status']],
  [['-h']],
  [[]],
  // What Codex 0.169 has itself.
  ...'exec e login logout plugin app-server remote-control completion update sandbox debug apply a resume queue archive delete migrate-rollouts unarchive fork cloud exec-server features'
    .split(' ')
    .map(word => [[word]]),
])('leaves %j to Codex', argv => {
  refuseForgottenSlash(ours(), argv);
});

it.each(['/status', '/stats'])('answers %s --json with JSON alone', async word => {
  checkSlashArguments(word, ['--json']);
  const printed: string[] = [];
  const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, reasoningTokens: 0 };
  const answers: Record<string, object> = {
    'server.status': {
      ...{ version: '1.0.0', pid: 1, home: '/', startedAt: '2026-01-01T00:00:00Z', clients: 1, runningTrials: 0 },
      ...{ log: '', outerProxy: null, settings: {} },
    },
    'proxy.status': {
      ...{ state: 'stopped', host: '127.0.0.1', port: null, caFile: '', bundleFile: '', exchanges: 0 },
      ...{ openConnections: 0, uncaptured: 0, error: null },
    },
    'sessions.today': { sessions: 1, exchanges: 1, usage, cost: { amountUsd: 1, kind: 'priced' } },
    'sessions.stats': { rows: [] },
  };
  const channel = { request: async (method: string) => answers[method.replace('coach/', '').replace('/', '.')] };
  const context = {
    terminal: { print: (text: string) => printed.push(text), note: () => undefined, env: {}, cwd: '/' },
    withServer: (work: (channel: unknown) => unknown) => work(channel),
  };
  await slashCommands[word]?.(context as never, ['--json']);
  expect(Object.keys(JSON.parse(printed.join('\n')))).toEqual(
    word === '/stats' ? ['rows'] : ['server', 'proxy', 'today'],
  );
});

it('takes ports alone for an option that is one', () => {
  expect([portNumber('0'), portNumber('65535')]).toEqual([0, 65_535]);
  for (const text of ['99999', 'x', '', '-1', '1.5']) expect(() => portNumber(text)).toThrow('from 0 to 65535');
});
