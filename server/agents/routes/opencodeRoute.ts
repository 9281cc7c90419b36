import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'jsonc-parser';
import { CoachError } from '../../../protocol/errors.ts';
import { baseUrlsOf } from '../../../protocol/proxy.ts';
import { textOfFile } from '../../base/files.ts';
import { userHome } from '../../base/userHome.ts';
import { asRecord, textOf } from '../json.ts';
import type { BaseUrls, OwnRoute, StartedAgent } from './ownRoute.ts';
import { optionIn, originOf, recordablePlaces } from './placesApart.ts';

type Json = Readonly<Record<string, unknown>>;

interface Provider {
  readonly id: string;
  readonly url: string;
  readonly file: string;
}

interface Configuration {
  readonly file: string;
  readonly config: Json;
}

const inline = 'OPENCODE_CONFIG_CONTENT';
/** Read last of all, by every user of the machine. */
const managed = '/etc/opencode';

/** opencode's providers name their URLs in its configuration. What OPENCODE_CONFIG_CONTENT says comes before all files but the machine's. */
export async function opencodeRoute(started: StartedAgent, managedDirectory = managed): Promise<OwnRoute> {
  const { argv, env } = started;
  const own = asRecord(parse(env[inline] ?? ''));
  const all = [...configurations(started), { file: inline, config: own }];
  const providers = providersOf(all, env);
  const fixed = providersOf(inDirectory(managedDirectory), env)[0];
  const chosen = chosenProvider(all, argv);
  const kept = recordablePlaces(providers, ({ id }) => id === chosen);
  if (kept === null) throw severalPlaces(providers);
  const others = providers.filter(provider => !kept.includes(provider)).map(({ id }) => id);
  return {
    baseUrls: baseUrlsOf(env),
    settings: Object.fromEntries(kept.map(({ id, url }) => [settingOf(id), url])),
    keyVariable: null,
    command({ settings }) {
      if (fixed !== undefined) throw notLed(fixed);
      if (others.length === 0 && Object.keys(settings).length === 0) return { argv, env: {} };
      const led = withUrls(own, kept, settings);
      const disabled = all
        .flatMap(({ config }) => [config['disabled_providers']].flat())
        .filter(id => id !== undefined);
      const config = others.length === 0 ? led : { ...led, disabled_providers: [...new Set([...disabled, ...others])] };
      return { argv, env: { [inline]: JSON.stringify(config) } };
    },
  };
}

/** Its files, each one over those before. */
function configurations({ env, cwd }: StartedAgent): Configuration[] {
  const home = userHome(env);
  const above = directoriesTo(resolve(cwd));
  const named = env['OPENCODE_CONFIG'] ? [env['OPENCODE_CONFIG']] : [];
  const own = env['OPENCODE_CONFIG_DIR'] ? [env['OPENCODE_CONFIG_DIR']] : [];
  const settings = join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'opencode');
  return [
    ...fromFiles([join(settings, 'config.json')]),
    ...inDirectory(settings),
    ...fromFiles(named),
    ...above.flatMap(inDirectory),
    ...[home, ...above].flatMap(directory => inDirectory(join(directory, '.opencode'))),
    ...own.flatMap(inDirectory),
  ];
}

function inDirectory(directory: string): Configuration[] {
  return fromFiles(['opencode.json', 'opencode.jsonc'].map(name => join(directory, name)));
}

function fromFiles(files: readonly string[]): Configuration[] {
  return files.flatMap(file => {
    const text = textOfFile(file);
    return text === null ? [] : [{ file, config: asRecord(parse(text)) }];
  });
}

/** From the root of the repository, or of the disk, to this directory. */
function directoriesTo(directory: string): string[] {
  const parent = dirname(directory);
  const isFirst = parent === directory || existsSync(join(directory, '.git'));
  return isFirst ? [directory] : [...directoriesTo(parent), directory];
}

/** Where providers are asked, as far as a configuration says so. */
function providersOf(all: readonly Configuration[], env: NodeJS.ProcessEnv): Provider[] {
  const found = new Map<string, Provider>();
  for (const { file, config } of all) {
    for (const [id, provider] of Object.entries(asRecord(config['provider']))) {
      const { options, api } = asRecord(provider);
      const written = textOf(asRecord(options)['baseURL']) || textOf(api);
      if (written) found.set(id, { id, file, url: filledIn(written, file, env) });
    }
  }
  return [...found.values()];
}

/** `{env:NAME}` and `{file:path}` stand for what they name. */
function filledIn(text: string, file: string, env: NodeJS.ProcessEnv): string {
  return text
    .replace(/\{env:([^}]+)\}/g, (_, name: string) => env[name] ?? '')
    .replace(/\{file:([^}]+)\}/g, (_, path: string) => textOfFile(resolve(dirname(file), path))?.trim() ?? '');
}

/** The provider of `-m <provider>/<model>`, else of the configured model. */
function chosenProvider(all: readonly Configuration[], argv: readonly string[]): string | null {
  const configured = all.map(({ config }) => textOf(config['model'])).findLast(model => model !== '');
  return /^([^/]+)\//.exec(optionIn(argv, '-m', '--model') ?? configured ?? '')?.[1] ?? null;
}

function withUrls(config: Json, providers: readonly Provider[], settings: BaseUrls): Json {
  const own = asRecord(config['provider']);
  const led = providers.flatMap(({ id }) => {
    const url = settings[settingOf(id)];
    if (url === undefined) return [];
    const provider = asRecord(own[id]);
    return [[id, { ...provider, options: { ...asRecord(provider['options']), baseURL: url } }] as const];
  });
  return { ...config, provider: { ...own, ...Object.fromEntries(led) } };
}

function settingOf(id: string): string {
  return `provider.${id}.options.baseURL`;
}

function notLed({ id, url, file }: Provider): CoachError {
  return new CoachError('input.invalid', `opencode can't be recorded: ${file} leads ${id} to ${originOf(url)}.`, {
    hint: 'That file comes before all that a launch can say. Start opencode without codex-coach, or change it.',
  });
}

function severalPlaces(providers: readonly Provider[]): CoachError {
  const names = providers.map(({ id }) => id).join(', ');
  return new CoachError('input.invalid', `Of the providers ${names} a launch of opencode records one alone.`, {
    hint: 'Some are on this machine, without TLS or on other ports. Say which: opencode -m <provider>/<model>, or "model" in its configuration.',
  });
}
