import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import { textOfFile } from '../../base/files.ts';
import { userHome } from '../../base/userHome.ts';
import { asRecord, parseJson } from '../json.ts';

/** What one file of Claude Code's settings puts over its environment. */
export interface ClaudeSettings {
  /** The file, or the option that stands for one. */
  readonly where: string;
  readonly env: Readonly<Record<string, string>>;
  /** The machine's administrator's: no option wins over it. */
  readonly isManaged: boolean;
}

/** What of a command line says which settings are read. */
export interface ClaudeOptions {
  /** Of `--settings`, a file or JSON; null without it. The last one counts. */
  readonly settings: string | null;
  /** Of `--setting-sources`; null for all. */
  readonly sources: readonly string[] | null;
  /** The arguments without `--settings`. */
  readonly others: readonly string[];
}

export const managedPlace =
  { darwin: '/Library/Application Support/ClaudeCode', win32: 'C:\\Program Files\\ClaudeCode' }[
    process.platform as string
  ] ?? '/etc/claude-code';

/**
 * What Claude Code 2.1 applies to itself, over what its environment says, the weakest first: its own file, the user's
 * settings, the directory's, `--settings`, and the administrator's. A file that is no JSON it leaves out.
 * @param managed the administrator's directory
 * @throws CoachError `input.invalid` where `--settings` is no JSON
 */
export function claudeSettings(
  { settings, sources }: Pick<ClaudeOptions, 'settings' | 'sources'>,
  { env, cwd }: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
  managed = managedPlace,
): ClaudeSettings[] {
  const home = userHome(env);
  const moved = env['CLAUDE_CONFIG_DIR'];
  const own = moved || join(home, '.claude');
  const old = join(own, '.config.json');
  const files = [
    { source: null, file: existsSync(old) ? old : join(moved || home, '.claude.json') },
    { source: 'user', file: join(own, 'settings.json') },
    { source: 'project', file: join(cwd, '.claude', 'settings.json') },
    { source: 'local', file: join(cwd, '.claude', 'settings.local.json') },
  ].filter(({ source }) => source === null || sources === null || sources.includes(source));
  return [
    ...files.map(({ file }) => ({ where: file, env: envOf(jsonOf(file)), isManaged: false })),
    ...(settings === null ? [] : [{ where: '--settings', env: envOf(givenSettings(settings, cwd)), isManaged: false }]),
    ...[join(own, 'remote-settings.json'), ...managedFiles(managed)].map(file => ({
      ...{ where: file, env: envOf(jsonOf(file)), isManaged: true },
    })),
  ];
}

/** What `--settings` names: a file, or JSON itself. @throws CoachError `input.invalid` where that is no JSON */
export function givenSettings(settings: string, cwd: string): Record<string, unknown> {
  const text = settings.trim();
  const found = text.startsWith('{') ? parseJson(text) : jsonOf(resolve(cwd, settings));
  if (found !== null) return asRecord(found);
  throw new CoachError('input.invalid', 'The settings of --settings can’t be read.', {
    hint: 'Give a JSON file that is there, or JSON: they may say where the model is, which would then not be recorded.',
  });
}

export function claudeOptions(args: readonly string[]): ClaudeOptions {
  const found = new Map<string, string>();
  const others: string[] = [];
  let at = 0;
  for (; at < args.length && args[at] !== '--'; at++) {
    const word = args[at] ?? '';
    const [, option = '', joined] = /^(--settings|--setting-sources)(?:=(.*))?$/s.exec(word) ?? [];
    const value = option === '' ? undefined : (joined ?? args[at + 1]);
    if (value !== undefined) found.set(option, value);
    const taken = value === undefined || joined !== undefined ? 1 : 2;
    if (option !== '--settings') others.push(...args.slice(at, at + taken));
    at += taken - 1;
  }
  const sources = found.get('--setting-sources')?.split(',');
  return {
    settings: found.get('--settings') || null,
    sources: sources?.map(source => source.trim()) ?? null,
    others: [...others, ...args.slice(at)],
  };
}

function managedFiles(place: string): string[] {
  const more = join(place, 'managed-settings.d');
  let names: string[] = [];
  try {
    names = readdirSync(more).filter(name => /^[^.].*\.json$/.test(name));
  } catch {
    // There is none.
  }
  return [join(place, 'managed-settings.json'), ...names.sort().map(name => join(more, name))];
}

function jsonOf(file: string): unknown {
  return parseJson(textOfFile(file)?.replace(/^\uFEFF/, '') ?? '');
}

/** It takes numbers and the like as texts. */
function envOf(settings: unknown): Record<string, string> {
  const set = Object.entries(asRecord(asRecord(settings)['env']));
  const plain = set.filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  return Object.fromEntries(plain.map(([name, value]) => [name, String(value)]));
}
