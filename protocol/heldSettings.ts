import { type Setting, type SettingName, settings } from './config.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Values = readonly (readonly [variable: string, value: string])[];

/** Variables that a server was started with, each with a fingerprint of its value, which may hold a key. */
export type SettingPrints = Readonly<Record<string, string>>;

/** Brought by the caller so that this stays free of Node. */
type Sha256Hex = (text: string) => string;

const namedLike = (pattern: RegExp): readonly Setting[] =>
  (Object.keys(settings) as SettingName[]).filter(name => pattern.test(name)).map(name => settings[name]);

/** Settings of the one server, which hold for whoever uses it: what leads traffic, and what limits its cost. */
const shared = namedLike(/^(?:proxy|budget)\./);

/** Settings that also hold as the server was started with them, without harm to a launch: what it keeps, lists and runs in. */
const lasting = namedLike(/^(?:sessions?\.|traces\.|server\.|run\.executor$|docker\.host$|judge\.votes$)/);

export function sharedValues(env: Environment): Values {
  return shared.flatMap(({ env: variable }) => {
    const value = env[variable];
    return value === undefined || value === '' ? [] : [[variable, value] as const];
  });
}

/** As they hold, given or by default. */
export function lastingValues(env: Environment): Values {
  return lasting.map(({ env: variable, schema, default: usual }) => {
    const value = env[variable] || usual;
    return [variable, String(schema.safeParse(value).data ?? value)];
  });
}

export function printOf(value: string, sha256Hex: Sha256Hex): string {
  return sha256Hex(value).slice(0, 16);
}

/** Variables of this environment that no launch can have, as a server with those fingerprints was not started with them. */
export function otherShared(env: Environment, prints: SettingPrints, sha256Hex: Sha256Hex): string[] {
  const usual = new Map(shared.map(({ env: variable, default: value }) => [variable, String(value)]));
  const held = (variable: string) => prints[variable] ?? printOf(usual.get(variable) ?? '', sha256Hex);
  const other = sharedValues(env).filter(([variable, value]) => held(variable) !== printOf(value, sha256Hex));
  return other.map(([variable]) => variable);
}

/** Variables of this environment that such a server goes without, as it has other values; no launch is harmed. */
export function otherLasting(env: Environment, prints: SettingPrints, sha256Hex: Sha256Hex): string[] {
  const known = lastingValues(env).filter(([variable]) => env[variable] && prints[variable] !== undefined);
  return known
    .filter(([variable, value]) => prints[variable] !== printOf(value, sha256Hex))
    .map(([variable]) => variable);
}

/** The port that this environment names, where the proxy listens on another one: earlier agents may still send there. */
export function otherPort(env: Environment, port: number | null): number | null {
  const { schema, env: variable } = settings['proxy.port'];
  const wanted = env[variable] ? (schema.safeParse(env[variable]).data ?? 0) : 0;
  return wanted === 0 || port === null || port === wanted ? null : wanted;
}
