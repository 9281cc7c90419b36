import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { readableIssues } from '../../protocol/api.ts';
import { keyNames, type Setting, type SettingName, type SettingValue, settings } from '../../protocol/config.ts';
import { CoachError } from '../../protocol/errors.ts';
import {
  lastingValues,
  otherLasting,
  otherShared,
  printOf,
  type SettingPrints,
  sharedValues,
} from '../../protocol/heldSettings.ts';
import { codexHome } from './codexHome.ts';
import { exampleValue, expectedValue, type ValueSchema } from './expectedValue.ts';

export interface Settings {
  get<K extends SettingName>(name: K): SettingValue<K>;
}

/** Settings from the environment over defaults. A value of the wrong kind names its variable. */
export function environmentSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    get(name) {
      const spec = settings[name];
      const raw = env[spec.env];
      if (raw === undefined || raw === '') return spec.default as never;
      const parsed = spec.schema.safeParse(raw);
      if (parsed.success) return parsed.data as never;
      throw unusable(spec, raw, parsed.error);
    },
  };
}

function unusable(spec: Setting, raw: string, error: z.ZodError): CoachError {
  const kind = z.toJSONSchema(spec.schema, { io: 'input', unrepresentable: 'any' }) as ValueSchema;
  const expected = expectedValue(kind);
  const reason = expected === null ? readableIssues(error) : `expected ${expected}`;
  const example = exampleValue({ ...kind, default: spec.default });
  return new CoachError('input.invalid', `${spec.env}=${raw} is not usable: ${reason}.`, {
    hint:
      example === null
        ? 'Unset it, or give another value.'
        : `Unset it, or give another value, such as ${spec.env}=${example}`,
  });
}

/** @throws CoachError `input.invalid` for the first setting of the environment that is not usable */
export function checkSettings(env: NodeJS.ProcessEnv): void {
  const given = environmentSettings(env);
  for (const name of Object.keys(settings) as SettingName[]) given.get(name);
}

/** The variables that a server was started with, each with a fingerprint of its value, which may hold a key. */
export function settingPrints(env: NodeJS.ProcessEnv): Record<string, string> {
  const values = [...sharedValues(env), ...lastingValues(env), [codexVariable, resolve(codexHome(env))] as const];
  return Object.fromEntries(values.map(([name, value]) => [name, printOf(value, sha256Hex)]));
}

/** Variables of this environment that no launch can have, as a server with those fingerprints was not started with them. */
export function otherSettings(env: NodeJS.ProcessEnv, prints: SettingPrints): string[] {
  return otherShared(env, prints, sha256Hex);
}

/** Variables of this environment that such a server goes without, as it has other values. */
export function unheldSettings(env: NodeJS.ProcessEnv, prints: SettingPrints): string[] {
  const held = prints[codexVariable];
  // What is named for Codex's files alone comes first.
  const isNamed = Boolean(env[codexVariable]) && !env[settings['sessions.codexHome'].env] && held !== undefined;
  const isOther = isNamed && held !== printOf(resolve(codexHome(env)), sha256Hex);
  return [...otherLasting(env, prints, sha256Hex), ...(isOther ? [codexVariable] : [])];
}

const codexVariable = 'CODEX_HOME';

function sha256Hex(text: string): string {
  return hash('sha256', text);
}

/**
 * The `.env` file of a repository as variables; a missing file is empty. Lines `NAME=value`, `export NAME=value`,
 * quotes around the value, `#` comments. No expansion: nothing in a repository may run or reach outside the file.
 */
export function readDotEnv(directory: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(join(directory, '.env'), 'utf8');
  } catch {
    return {};
  }
  const variables: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(line);
    const name = match?.[1];
    if (name === undefined) continue;
    const raw = match?.[2] ?? '';
    const quoted = /^(["'])(.*?)\1/.exec(raw);
    variables[name] = quoted?.[2] ?? raw.replace(/\s+#.*$/, '').trim();
  }
  return variables;
}

/** Model API keys by the names that the user gave them: the environment first, the repository's `.env` after it. */
export function givenKeys(env: NodeJS.ProcessEnv, repository?: string): Record<string, string> {
  const dotEnv = repository === undefined ? {} : readDotEnv(repository);
  const keys: Record<string, string> = {};
  for (const name of keyNames) {
    const value = env[name] || dotEnv[name];
    if (value) keys[name] = value;
  }
  return keys;
}

/** The same for who asks OpenAI for somebody: Codex's own variable stands in for OpenAI's. */
export function modelKeys(env: NodeJS.ProcessEnv, repository?: string): Record<string, string> {
  const keys = givenKeys(env, repository);
  if (keys['CODEX_API_KEY'] !== undefined) keys['OPENAI_API_KEY'] ??= keys['CODEX_API_KEY'];
  return keys;
}
