import { dirname, join } from 'node:path';
import { parse } from 'jsonc-parser';
import { CoachError } from '../../../protocol/errors.ts';
import { baseUrlsOf } from '../../../protocol/proxy.ts';
import { textOfFile } from '../../base/files.ts';
import { userHome } from '../../base/userHome.ts';
import { asRecord, textOf } from '../json.ts';
import { baseUrlsIn, keptEmpty, nearestEnv, untold } from './nearestEnv.ts';
import type { BaseUrls, OwnRoute, StartedAgent } from './ownRoute.ts';
import { optionIn, recordablePlaces } from './placesApart.ts';

type Json = Readonly<Record<string, unknown>>;

/** A model of `modelProviders`, by its provider and its place in that list. */
interface Model {
  readonly setting: string;
  readonly provider: string;
  readonly index: number;
  readonly id: string;
  readonly url: string;
}

const loginUrl = 'security.auth.baseUrl';
const urlOption = '--openai-base-url';
const systemVariable = 'QWEN_CODE_SYSTEM_SETTINGS_PATH';
const defaultsVariable = 'QWEN_CODE_SYSTEM_DEFAULTS_PATH';

/** Qwen Code's settings name URLs and a proxy; those of the machine, whose place a variable names, come before all others. */
export async function qwenRoute(started: StartedAgent): Promise<OwnRoute> {
  const { argv, env, cwd } = started;
  const home = userHome(env);
  const files = settingsFiles(env, home, cwd);
  const layers = [files.defaults, files.user, files.project, files.system].map(settingsIn);
  const near = nearestEnv('.qwen', cwd, home);
  const variables = { ...Object.assign({}, ...layers.map(layer => strings(layer['env']))), ...near.variables };
  const own = baseUrlsIn({ variables }, env);
  refuseUntold(started, { ...near, own }, layers);
  const providers =
    last(
      layers,
      layer => asRecord(layer['modelProviders']),
      value => Object.keys(value).length > 0,
    ) ?? {};
  const models = modelsOf(providers);
  const name =
    optionIn(argv, '-m', '--model') ?? last(layers, layer => textOf(asRecord(layer['model'])['name']), Boolean);
  const kept = recordablePlaces(models, ({ id }) => id === name);
  if (kept === null) throw severalPlaces(models);
  const login = last(layers, layer => textOf(asRecord(asRecord(layer['security'])['auth'])['baseUrl']), Boolean);
  return {
    baseUrls: { ...baseUrlsOf(env), ...own },
    settings: {
      ...named(loginUrl, login),
      ...Object.fromEntries(kept.map(({ setting, url }) => [setting, url])),
      ...named(urlOption, optionIn(argv, urlOption)),
    },
    keyVariable: null,
    variables,
    command(given) {
      refuseOption(argv, '--proxy', 'HTTPS_PROXY');
      if (urlOption in given.settings) refuseOption(argv, urlOption, 'OPENAI_BASE_URL');
      const changed = {
        ...(layers.some(layer => textOf(layer['proxy']) !== '') ? { proxy: given.env['HTTPS_PROXY'] ?? '' } : {}),
        ...loginAt(given.settings[loginUrl]),
        ...providersWith(providers, { models, kept, settings: given.settings }),
      };
      if (Object.keys(changed).length === 0) return { argv, env: keptEmpty({ variables }, env) };
      const settings = merged(settingsIn(files.system), changed);
      const file = given.file('qwen-settings.json', JSON.stringify(settings));
      return {
        argv,
        env: { ...keptEmpty({ variables }, env), [systemVariable]: file, [defaultsVariable]: files.defaults },
      };
    },
  };
}

function settingsFiles(env: NodeJS.ProcessEnv, home: string, cwd: string) {
  const system = env[systemVariable] || '/etc/qwen-code/settings.json';
  return {
    defaults: env[defaultsVariable] || join(dirname(system), 'system-defaults.json'),
    user: join(env['QWEN_HOME'] || join(home, '.qwen'), 'settings.json'),
    project: join(cwd, '.qwen', 'settings.json'),
    system,
  };
}

/** With folder trust on, a project's files may be those that Qwen Code would not read. */
function refuseUntold(
  { isReplayed }: StartedAgent,
  near: { readonly file: string; readonly isOfHome: boolean; readonly own: BaseUrls },
  layers: readonly Json[],
): void {
  const trusts = layers.some(layer => asRecord(asRecord(layer['security'])['folderTrust'])['enabled'] === true);
  const [first] = Object.keys(near.own);
  if (first !== undefined && trusts && !near.isOfHome && !isReplayed) throw untold('Qwen Code', near.file, first);
}

function modelsOf(providers: Json): Model[] {
  return Object.entries(providers).flatMap(([provider, list]) =>
    (Array.isArray(list) ? list : []).flatMap((model: unknown, index) => {
      const { id, baseUrl } = asRecord(model);
      const setting = `modelProviders.${provider}.${index}.baseUrl`;
      return textOf(baseUrl) === '' ? [] : [{ setting, provider, index, id: textOf(id), url: textOf(baseUrl) }];
    }),
  );
}

/** The list as a whole: settings of the machine replace it. Models that this launch does not record are not in it. */
function providersWith(
  providers: Json,
  given: { readonly models: readonly Model[]; readonly kept: readonly Model[]; readonly settings: BaseUrls },
): Json {
  const { models, kept, settings } = given;
  if (kept.length === models.length && !models.some(({ setting }) => setting in settings)) return {};
  const isLeft = (provider: string, index: number) =>
    models.some(model => model.provider === provider && model.index === index && !kept.includes(model));
  const lists = Object.entries(providers).map(([provider, list]) => [
    provider,
    (Array.isArray(list) ? list : []).flatMap((model: unknown, index) => {
      const url = settings[`modelProviders.${provider}.${index}.baseUrl`];
      if (isLeft(provider, index)) return [];
      return [url === undefined ? model : { ...asRecord(model), baseUrl: url }];
    }),
  ]);
  return { modelProviders: Object.fromEntries(lists) };
}

function loginAt(url: string | undefined): Json {
  return url === undefined ? {} : { security: { auth: { baseUrl: url } } };
}

/** Its options come before all settings, and on a command line no token may stand. */
function refuseOption(argv: readonly string[], option: string, variable: string): void {
  if (optionIn(argv, option) === null) return;
  throw new CoachError('input.invalid', `Qwen Code can't be recorded with ${option}.`, {
    hint: `Give the URL in the environment: ${variable}=<the URL> codex-coach …`,
  });
}

function severalPlaces(models: readonly Model[]): CoachError {
  const names = models.map(({ id }) => id).join(', ');
  return new CoachError(
    'input.invalid',
    `Of the models ${names} a launch of Qwen Code records those of one place alone.`,
    {
      hint: 'Some are on this machine, without TLS or on other ports. Say which: qwen -m <model>, or model.name in its settings.',
    },
  );
}

function named(setting: string, url: string | null | undefined): BaseUrls {
  return url ? { [setting]: url } : {};
}

function settingsIn(file: string): Json {
  return asRecord(parse(textOfFile(file) ?? ''));
}

function strings(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(asRecord(value)).filter(([, text]) => typeof text === 'string')) as Record<
    string,
    string
  >;
}

/** The last of the layers that has it: each comes over those before. */
function last<T>(layers: readonly Json[], read: (layer: Json) => T, has: (value: T) => boolean): T | undefined {
  return layers.map(read).findLast(has);
}

function merged(base: Json, over: Json): Json {
  const both = Object.entries(over).map(([name, value]) => {
    const isReplaced = name === 'modelProviders' || typeof value !== 'object';
    return [name, isReplaced ? value : merged(asRecord(base[name]), asRecord(value))];
  });
  return { ...base, ...Object.fromEntries(both) };
}
