import { createReadStream, readFileSync, statSync, watch } from 'node:fs';
import { call, methodOf, type RequestSpec, remote } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { noProxyOf, proxy } from '../../../protocol/proxy.ts';
import { server } from '../../../protocol/server.ts';
import { sessions } from '../../../protocol/sessions.ts';
import { shellWord } from '../../base/shell.ts';
import { agentRoute, printSettings } from './agentRoute.ts';
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
  '/status': async ({ terminal, withServer }) => {
    await withServer(async channel => {
      terminal.print(await words(channel, 'server', 'status', server.members.status));
      terminal.print(await words(channel, 'proxy', 'status', proxy.members.status));
      terminal.print(await words(channel, 'sessions', 'today', sessions.members.today));
    });
    return exitCodes.ok;
  },
  '/stats': async ({ terminal, withServer }) => {
    terminal.print(await withServer(channel => words(channel, 'sessions', 'stats', sessions.members.stats)));
    return exitCodes.ok;
  },
  '/env': async ({ terminal, withServer }) => {
    const launch = await withServer(async channel => {
      const api = remote(proxy, channel);
      const { baseUrls, settings } = await agentRoute('codex', ['codex'], terminal.env);
      const opened = await api.launch({ agent: 'codex', noProxy: noProxyOf(terminal.env), baseUrls, settings });
      await api.close({ token: opened.token });
      return opened;
    });
    const shown = (value: string) => value.replace(launch.token, '<token>');
    terminal.print('# As a launched agent has it, with a token of its own. For a shell: codex-coach proxy run');
    for (const [name, value] of Object.entries(launch.env)) {
      terminal.print(value === null ? `unset ${name}` : `export ${name}=${shellWord(shown(value))}`);
    }
    printSettings(launch.settings, text => terminal.print(shown(text)));
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

async function words(channel: Channel, api: string, name: string, spec: RequestSpec): Promise<string> {
  return toText(spec, await call(channel, methodOf(api, name), spec, {}));
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
