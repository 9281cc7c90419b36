import { CoachError } from '../../../protocol/errors.ts';
import { baseUrlsOf } from '../../../protocol/proxy.ts';
import { asRecord } from '../json.ts';
import { type ClaudeSettings, claudeOptions, claudeSettings, givenSettings, managedPlace } from './claudeSettings.ts';
import type { Argv, LaunchWay, LedCommand, OwnRoute, StartedAgent } from './ownRoute.ts';
import { agentArguments } from './started.ts';

/** Variables with which it asks no API of Anthropic's. */
const otherProviders: Readonly<Record<string, string>> = {
  CLAUDE_CODE_USE_BEDROCK: 'Amazon Bedrock',
  CLAUDE_CODE_USE_MANTLE: 'Amazon Bedrock',
  CLAUDE_CODE_USE_ANTHROPIC_AWS: 'Claude on AWS',
  CLAUDE_CODE_USE_VERTEX: 'Google Vertex AI',
  CLAUDE_CODE_USE_FOUNDRY: 'Microsoft Foundry',
  ANTHROPIC_UNIX_SOCKET: 'a socket of this machine',
};

/**
 * The `env` of Claude Code's settings wins over its environment. Settings of `--settings` win over all but the
 * administrator's, so that these carry what the launch gives.
 * @param managed the administrator's directory
 */
export async function claudeRoute(started: StartedAgent, managed = managedPlace): Promise<OwnRoute> {
  const { argv, env, cwd } = started;
  const begin = agentArguments('claude', argv);
  const options = claudeOptions(begin === null ? [] : argv.slice(begin));
  const settings = claudeSettings(options, { env, cwd }, managed);
  const variables: Record<string, string> = Object.assign({}, ...settings.map(file => file.env));
  const effective = { ...env, ...variables };
  return {
    baseUrls: baseUrlsOf(effective),
    settings: {},
    keyVariable: null,
    variables,
    unrecorded: otherProvider(effective),
    command(given): LedCommand {
      const ours = overridden(given, variables);
      const names = Object.keys(ours);
      if (names.length === 0) return { argv, env: {} };
      const stays = settings.findLast(file =>
        names.some(name => name in file.env && (file.isManaged || begin === null)),
      );
      if (begin === null || stays?.isManaged) throw notLed(stays, names);
      const own = options.settings === null ? {} : givenSettings(options.settings, cwd);
      const text = JSON.stringify({ ...own, env: { ...asRecord(own['env']), ...ours } });
      const led: Argv = [argv[0], ...argv.slice(1, begin), '--settings', given.file('settings.json', text)];
      return { argv: [...led, ...options.others], env: {} };
    },
  };
}

/** What the launch gives or removes, and the settings would put back. */
function overridden({ env }: Pick<LaunchWay, 'env'>, variables: Readonly<Record<string, string>>) {
  const ours = Object.entries(env).map(([name, value]) => [name, value ?? ''] as const);
  return Object.fromEntries(ours.filter(([name, value]) => name in variables && variables[name] !== value));
}

function otherProvider(env: NodeJS.ProcessEnv): string | null {
  const isSet = (value = '') => !['', '0', 'false', 'no', 'off'].includes(value.trim().toLowerCase());
  const name = Object.keys(otherProviders).find(variable => isSet(env[variable]));
  return name === undefined ? null : `Claude Code asks ${otherProviders[name]} (${name}), which is not recorded.`;
}

function notLed(settings: ClaudeSettings | undefined, names: readonly string[]): CoachError {
  const set = names.filter(name => name in (settings?.env ?? {})).join(', ');
  return new CoachError('input.invalid', `Claude Code can't be recorded: ${settings?.where} sets ${set}.`, {
    hint: 'That wins over what a launch gives. It can be led elsewhere only on a command line that starts Claude Code itself, such as `claude -p`, and not against settings that the machine’s administrator manages.',
  });
}
