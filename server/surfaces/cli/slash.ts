import { createReadStream, readFileSync, statSync, watch } from 'node:fs';
import type { Command } from 'commander';
import { call, methodOf, type RequestSpec, remote } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { noProxyOf, proxy } from '../../../protocol/proxy.ts';
import { server } from '../../../protocol/server.ts';
import { sessions } from '../../../protocol/sessions.ts';
import { nearest } from '../../base/nearest.ts';
import { shellWord } from '../../base/shell.ts';
import { codexCommand, codexOfShell, printCommand } from './agentRoute.ts';
import type { CommandContext } from './derived.ts';
import { toText } from './render.ts';
import { exitCodes } from './terminal.ts';

const shownLogLines = 50;

/** What is typed like one of them is not handed to Codex as a prompt, which would cost money. */
export function refuseUnknownSlash(word: string): void {
  if (!/^\/[a-z][\w-]*$/i.test(word)) return;
  throw new CoachError('input.invalid', `There is no command ${word}.`, {
    hint: `There are ${Object.keys(slashCommands).join(', ')}. To give it to Codex: codex-coach codex ${word}`,
  });
}

/** Of a shorter word nearly every other is one edit away. */
const leastMistyped = 3;

/**
 * A word alone that is all but one of ours: as a prompt it would start an agent, which costs money and acts.
 * @throws CoachError `input.invalid`
 */
export function refuseForgottenSlash(program: Command, argv: readonly string[]): void {
  const [word = ''] = argv;
  if (argv.length !== 1 || !/^[a-z][a-z-]*$/i.test(word)) return;
  const slashes = new Map(Object.keys(slashCommands).map(name => [name.slice(1), name]));
  const own = program.commands.flatMap(command => [command.name(), ...command.aliases()]);
  const names = [...own, ...slashes.keys()];
  const meant = word.length < leastMistyped ? names.find(name => name === word) : nearest(word, names, 1);
  if (meant === undefined) return;
  const command = own.includes(meant) ? meant : slashes.get(meant);
  throw new CoachError('input.invalid', `There is no command ${word}.`, {
    hint: `Did you mean codex-coach ${command}? To give it to Codex: codex-coach codex ${word}`,
  });
}

/** Each is shown as soon as it is known: one that can’t be told takes none away that stands before it. */
const statusParts: readonly { name: string; api: string; request: string; spec: RequestSpec }[] = [
  { name: 'server', api: 'server', request: 'status', spec: server.members.status },
  { name: 'proxy', api: 'proxy', request: 'status', spec: proxy.members.status },
  { name: 'today', api: 'sessions', request: 'today', spec: sessions.members.today },
];

/** Options of the short commands that have any. */
const options: Readonly<Record<string, readonly string[]>> = {
  '/status': ['--json'],
  '/stats': ['--json'],
  '/logs': ['--follow'],
};

/** @throws CoachError `input.invalid` for what such a command does not take */
export function checkSlashArguments(word: string, args: readonly string[]): void {
  const taken = options[word] ?? [];
  const other = args.find(arg => !taken.includes(arg));
  if (other === undefined) return;
  throw new CoachError('input.invalid', `${word} does not take ${other}.`, {
    hint: `It takes ${taken.length === 0 ? 'no arguments' : `${taken.join(', ')} or nothing`}.`,
  });
}

/** Short commands that need no group: `codex-coach /test`. Answers the exit code. */
export const slashCommands: Record<string, (context: CommandContext, args: readonly string[]) => Promise<number>> = {
  '/hello': async ({ terminal }) => {
    terminal.print('Hello from Codex Coach.');
    return exitCodes.ok;
  },
  '/now': async ({ terminal }) => {
    terminal.print(new Date().toISOString());
    return exitCodes.ok;
  },
  '/status': async ({ terminal, withServer }, args) => {
    const asJson = args.includes('--json');
    const all: Record<string, unknown> = {};
    await withServer(async channel => {
      for (const { name, api, request, spec } of statusParts) {
        all[name] = await answer(channel, api, request, spec);
        if (!asJson) terminal.print(toText(spec, all[name]));
      }
    });
    if (asJson) terminal.print(JSON.stringify(all, null, 2));
    return exitCodes.ok;
  },
  '/stats': async ({ terminal, withServer }, args) => {
    const { stats } = sessions.members;
    const found = await withServer(channel => answer(channel, 'sessions', 'stats', stats));
    terminal.print(args.includes('--json') ? JSON.stringify(found, null, 2) : toText(stats, found, terminal.columns));
    return exitCodes.ok;
  },
  '/env': async ({ terminal, withServer }) => {
    const route = await codexOfShell(terminal.env);
    const { baseUrls, settings } = route;
    const launch = await withServer(async channel => {
      const api = remote(proxy, channel);
      const opened = await api.launch({ agent: 'codex', noProxy: noProxyOf(terminal.env), baseUrls, settings });
      await api.close({ token: opened.token });
      return opened;
    });
    const shown = (value: string) => value.replace(launch.token, '<token>');
    terminal.print('# As a launched agent has it, with a token of its own. For a shell: codex-coach proxy run');
    for (const [name, value] of Object.entries(launch.env)) {
      terminal.print(value === null ? `unset ${name}` : `export ${name}=${shellWord(shown(value))}`);
    }
    printCommand(await codexCommand(route, launch), text => terminal.print(shown(text)));
    return exitCodes.ok;
  },
  '/test': async ({ terminal, withServer }) => {
    const outcome = await withServer(channel => remote(proxy, channel).test({}, terminal.signal));
    terminal.print(toText(proxy.members.test, outcome));
    return outcome.ok ? exitCodes.ok : exitCodes.failed;
  },
  '/logs': async ({ terminal, withServer }, args) => {
    const { log } = await withServer(channel => remote(server, channel).status({}));
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    terminal.print(lines.slice(-shownLogLines).join('\n'));
    if (args.includes('--follow')) await follow(log, terminal.print, terminal.signal);
    return exitCodes.ok;
  },
};

function answer(channel: Channel, api: string, name: string, spec: RequestSpec): Promise<unknown> {
  return call(channel, methodOf(api, name), spec, {});
}

/** Prints what is added to a file until the signal. */
async function follow(file: string, print: (text: string) => void, signal: AbortSignal): Promise<void> {
  let offset = statSync(file).size;
  const watcher = watch(file, () => {
    const end = statSync(file).size;
    if (end <= offset) return;
    createReadStream(file, { start: offset, end: end - 1, encoding: 'utf8' }).on('data', chunk =>
      print(String(chunk).trimEnd()),
    );
    offset = end;
  });
  await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
  watcher.close();
}
