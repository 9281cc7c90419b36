import { join } from 'node:path';
import { parse } from 'smol-toml';
import { CoachError } from '../../../protocol/errors.ts';
import { asRecord, textOf } from '../json.ts';

type Table = Readonly<Record<string, unknown>>;

/** What Codex's own configuration says about the model that it is going to ask. */
export interface CodexConfig {
  /** Base URLs, by setting. */
  readonly baseUrls: Readonly<Record<string, string>>;
  /** Where the provider's key is taken from; null for a provider without one, and for OpenAI. */
  readonly keyVariable: string | null;
}

interface CodexOptions {
  /** `key=value`, in their order: the last one wins. */
  readonly overrides: readonly string[];
  readonly profile: string | null;
  /** Index behind the last override. */
  readonly end: number;
}

const system = '/etc/codex';

/**
 * The configuration under these arguments. Codex 0.169 has it, the weakest first, from the machine, the user, the
 * user's profile, `-c`, and the machine's administrator. A project's own file may not say where a model is.
 * @param home CODEX_HOME
 * @param read a file's text; null when there is none
 * @throws CoachError `input.invalid` for a file that is no TOML
 */
export function codexConfig(args: readonly string[], home: string, read: (file: string) => string | null): CodexConfig {
  const config = configUnder(args, home, read);
  const name = args.includes('--oss') ? '' : textOf(config['model_provider']) || 'openai';
  const provider = asRecord(asRecord(config['model_providers'])[name]);
  const urls = {
    ...(name === 'openai' ? { openai_base_url: textOf(config['openai_base_url']) } : {}),
    [settingOf(name)]: textOf(provider['base_url']),
    // Also asked for the account and the plugins, whichever the provider is.
    chatgpt_base_url: textOf(config['chatgpt_base_url']),
  };
  return {
    baseUrls: Object.fromEntries(Object.entries(urls).filter(([, url]) => url !== '')),
    keyVariable: textOf(provider['env_key']) || null,
  };
}

/** The variables of all providers' keys under these arguments: a session may choose another. Parameters as above. */
export function codexKeyVariables(...[args, home, read]: Parameters<typeof codexConfig>): string[] {
  const providers = Object.values(asRecord(configUnder(args, home, read)['model_providers']));
  return providers.map(provider => textOf(asRecord(provider)['env_key'])).filter(name => name !== '');
}

function configUnder(args: readonly string[], home: string, read: (file: string) => string | null): Table {
  const { overrides, profile } = codexOptions(args);
  const own = args.includes('--ignore-user-config')
    ? []
    : ['config.toml', ...(profile === null ? [] : [`${profile}.config.toml`])].map(name => join(home, name));
  const fileTable = (file: string) => table(file, read(file));
  const layers = [
    ...[join(system, 'config.toml'), ...own].map(fileTable),
    ...overrides.map(toTable),
    fileTable(join(system, 'managed_config.toml')),
  ];
  return layers.reduce(merged, {});
}

/** The arguments with base URLs that win over those of `codexConfig`, but for an administrator's. */
export function withBaseUrls(args: readonly string[], baseUrls: Readonly<Record<string, string>>): string[] {
  const { end } = codexOptions(args);
  const ours = Object.entries(baseUrls).flatMap(([setting, url]) => ['-c', assignment(setting, url)]);
  return [...args.slice(0, end), ...ours, ...args.slice(end)];
}

function settingOf(provider: string): string {
  return `model_providers.${provider}.base_url`;
}

/** Codex takes each dot of a key for the next table, whatever is quoted. */
function assignment(setting: string, url: string): string {
  const [, provider = ''] = /^model_providers\.(.*)\.base_url$/s.exec(setting) ?? [];
  const value = JSON.stringify(url);
  return provider.includes('.')
    ? `model_providers={${JSON.stringify(provider)}={base_url=${value}}}`
    : `${setting}=${value}`;
}

function codexOptions(args: readonly string[]): CodexOptions {
  const overrides: string[] = [];
  let profile: string | null = null;
  let end = 0;
  for (let at = 0; at < args.length && args[at] !== '--'; at++) {
    const [, option, joined] = /^(-c|--config(?==|$)|-p|--profile(?==|$))=?(.*)$/s.exec(args[at] ?? '') ?? [];
    if (option === undefined) continue;
    const value = joined || (args[++at] ?? '');
    if (/^--?p/.test(option)) profile = value;
    else {
      overrides.push(value);
      end = at + 1;
    }
  }
  return { overrides, profile, end };
}

function table(file: string, text: string | null): Table {
  try {
    return parse(text ?? '');
  } catch (cause) {
    const [what = ''] = (cause as Error).message.split('\n');
    throw new CoachError('input.invalid', `Codex's configuration ${file} can't be read: ${what}`, {
      cause,
      hint: 'Mend it: it may say where the model is, which would then not be recorded.',
    });
  }
}

/** What is no TOML value is a text. */
function toTable(override: string): Table {
  const [, key = '', text = ''] = /^([^=]*)=?(.*)$/s.exec(override) ?? [];
  let value: unknown;
  try {
    value = parse(`value = ${text}`)['value'];
  } catch {
    value = text.trim().replace(/^["']+|["']+$/g, '');
  }
  return asRecord(
    key
      .trim()
      .split('.')
      .reduceRight<unknown>((inner, part) => ({ [part]: inner }), value),
  );
}

function merged(under: Table, over: Table): Table {
  const both = Object.entries(over).map(([key, value]) => {
    const inner = asRecord(value);
    return [key, inner === value ? merged(asRecord(under[key]), inner) : value] as const;
  });
  return { ...under, ...Object.fromEntries(both) };
}
