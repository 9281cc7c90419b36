import { CoachError } from '../../../protocol/errors.ts';
import { baseUrlsOf } from '../../../protocol/proxy.ts';
import { codexHome } from '../../base/codexHome.ts';
import { textOfFile } from '../../base/files.ts';
import { listens, localPlace } from '../../base/localPlace.ts';
import { codexConfig, codexKeyVariables, withBaseUrls } from './codexConfig.ts';
import { daemonOption } from './codexDaemon.ts';
import type { Argv, BaseUrls, OwnRoute, StartedAgent } from './ownRoute.ts';
import { agentArguments } from './started.ts';

/** Codex asks no base URL of its environment; its configuration names its gateway, and `-c` another one. */
export async function codexRoute({ argv, env }: StartedAgent): Promise<OwnRoute> {
  const begin = agentArguments('codex', argv);
  const configOf = (words: readonly string[]) =>
    codexConfig(begin === null ? [] : words.slice(begin), codexHome(env), textOfFile);
  const config = configOf(argv);
  return {
    baseUrls: await withoutStale(baseUrlsOf(env)),
    settings: config.baseUrls,
    keyVariable: config.keyVariable,
    async command({ settings }) {
      const own = begin === null ? argv : await askingItself(argv, begin, env);
      const led: Argv =
        begin === null ? own : [own[0], ...own.slice(1, begin), ...withBaseUrls(own.slice(begin), settings)];
      const { baseUrls: now } = configOf(led);
      // A command line can be read by others.
      const isSecret = (url: string) => /^https?:\/\/[^/?#]*@/i.test(url);
      const stays = Object.entries(settings).find(([name, url]) => now[name] !== url || isSecret(url))?.[0];
      if (stays !== undefined) throw notLed(stays, config.baseUrls[stays] ?? '');
      return { argv: led, env: {} };
    },
  };
}

/** The variables of all its providers' keys. None of a configuration that can't be read: where it matters, that is said. */
export function codexKeys(argv: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const begin = agentArguments('codex', argv);
  try {
    return codexKeyVariables(begin === null ? [] : argv.slice(begin), codexHome(env), textOfFile);
  } catch {
    return [];
  }
}

/** Codex without the background server that it shares with other terminals. `begin`: where its arguments begin. */
async function askingItself(argv: Argv, begin: number, env: NodeJS.ProcessEnv): Promise<Argv> {
  const program: Argv = [argv[0], ...argv.slice(1, begin)];
  const args = argv.slice(begin);
  const option = await daemonOption(program, args, env);
  return option === null ? argv : [...program, option, ...args];
}

/** What leads nowhere on this machine is left over from a program that ended. */
async function withoutStale(urls: BaseUrls): Promise<BaseUrls> {
  const live = await Promise.all(
    Object.entries(urls).map(async entry => {
      const place = localPlace(entry[1]);
      return place === null || (await listens(place.host, place.port)) ? [entry] : [];
    }),
  );
  return Object.fromEntries(live.flat());
}

function notLed(setting: string, url: string): CoachError {
  const { origin } = new URL(url);
  return new CoachError('input.invalid', `Codex can't be recorded: its setting ${setting} leads to ${origin}.`, {
    hint: 'It can be led elsewhere only on a command line that starts Codex itself, such as `codex exec`, by a URL without a password, and not against the machine’s managed_config.toml.',
  });
}
