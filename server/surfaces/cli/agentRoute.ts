import { readFileSync } from 'node:fs';
import { CoachError } from '../../../protocol/errors.ts';
import { baseUrlsOf } from '../../../protocol/proxy.ts';
import { secretsOf } from '../../../protocol/secretVariables.ts';
import { codexConfig, codexKeyVariables, withBaseUrls } from '../../agents/codexConfig.ts';
import { daemonOption } from '../../agents/codexDaemon.ts';
import { agentOfCommand } from '../../agents/recorded.ts';
import { codexHome } from '../../base/codexHome.ts';
import { listens, localPlace } from '../../base/localPlace.ts';
import { shellWord } from '../../base/shell.ts';

type BaseUrls = Readonly<Record<string, string>>;
type Argv = readonly [string, ...string[]];

/** Where an agent would go by itself. */
export interface AgentRoute {
  /** Base URLs of its environment, by variable. */
  readonly baseUrls: BaseUrls;
  /** Base URLs of its own configuration, by setting. */
  readonly settings: BaseUrls;
  /** The variable that its configuration takes the key from. */
  readonly keyVariable: string | null;
  /** The command line that leads it elsewhere, and under which it asks itself. @throws CoachError `input.invalid` where none does */
  argv(settings: BaseUrls): Argv;
}

/** @throws CoachError `input.invalid` when the agent's configuration can't be read */
export async function agentRoute(agent: string, argv: Argv, env: NodeJS.ProcessEnv): Promise<AgentRoute> {
  const baseUrls = baseUrlsOf(env);
  if (agent !== 'codex') return { baseUrls, settings: {}, keyVariable: null, argv: () => argv };
  const begin = codexArguments(argv);
  const configOf = (words: readonly string[]) =>
    codexConfig(begin === null ? [] : words.slice(begin), codexHome(env), textOf);
  const config = configOf(argv);
  const own = begin === null ? argv : await askingItself(argv, begin, env);
  return {
    baseUrls: await withoutStale(baseUrls),
    settings: config.baseUrls,
    keyVariable: config.keyVariable,
    argv(settings) {
      const led: Argv =
        begin === null ? own : [own[0], ...own.slice(1, begin), ...withBaseUrls(own.slice(begin), settings)];
      const { baseUrls: now } = configOf(led);
      // A command line can be read by others.
      const isSecret = (url: string) => /^https?:\/\/[^/?#]*@/i.test(url);
      const stays = Object.entries(settings).find(([name, url]) => now[name] !== url || isSecret(url))?.[0];
      if (stays !== undefined) throw notLed(stays, config.baseUrls[stays] ?? '');
      return led;
    },
  };
}

/** Codex without the background server that it shares with other terminals. `begin`: where its arguments begin. */
async function askingItself(argv: Argv, begin: number, env: NodeJS.ProcessEnv): Promise<Argv> {
  const program: Argv = [argv[0], ...argv.slice(1, begin)];
  const args = argv.slice(begin);
  const option = await daemonOption(program, args, env);
  return option === null ? argv : [...program, option, ...args];
}

/** What an agent that is started here must not have recorded. Whatever it is, it may start Codex. */
export function launchSecrets(env: NodeJS.ProcessEnv, argv?: Argv): string[] {
  const begin = argv === undefined ? null : codexArguments(argv);
  return secretsOf(env, keyVariables(begin === null ? [] : (argv?.slice(begin) ?? []), env));
}

/** None of a configuration that can't be read: where it matters, that is said. */
function keyVariables(args: readonly string[], env: NodeJS.ProcessEnv): string[] {
  try {
    return codexKeyVariables(args, codexHome(env), textOf);
  } catch {
    return [];
  }
}

/** For a shell: what no variable changes in Codex, such as where its configuration says that its gateway is. */
export function printCommand(argv: Argv, print: (line: string) => void): void {
  if (argv.length > 1) print(`# To have Codex recorded: ${argv.map(shellWord).join(' ')}`);
}

/** Codex asks none of these variables. What leads nowhere on this machine is left over from a program that ended. */
async function withoutStale(urls: BaseUrls): Promise<BaseUrls> {
  const live = await Promise.all(
    Object.entries(urls).map(async entry => {
      const place = localPlace(entry[1]);
      return place === null || (await listens(place.host, place.port)) ? [entry] : [];
    }),
  );
  return Object.fromEntries(live.flat());
}

/** Where the arguments of Codex begin in a command line; null when it starts something else, which may start Codex. */
function codexArguments(argv: Argv): number | null {
  const started = argv.findIndex((_, index) => agentOfCommand(argv.slice(0, index + 1))?.id === 'codex') + 1;
  if (started === 0) return null;
  // npm takes options as its own up to its `--`.
  if (argv[0] !== 'npm' || argv.slice(0, started).includes('--')) return started;
  const passed = argv.indexOf('--', started);
  return passed < 0 ? null : passed + 1;
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function notLed(setting: string, url: string): CoachError {
  const { origin } = new URL(url);
  return new CoachError('input.invalid', `Codex can't be recorded: its setting ${setting} leads to ${origin}.`, {
    hint: 'It can be led elsewhere only on a command line that starts Codex itself, such as `codex exec`, by a URL without a password, and not against the machine’s managed_config.toml.',
  });
}
