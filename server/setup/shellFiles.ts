import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { textOfFile } from '../base/files.ts';
import { userHome } from '../base/userHome.ts';

/** Something that a shell or dotenv file sets, with its place. */
export interface ShellLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly kind: 'variable' | 'command';
  /** Of the variable, or of the alias or function. */
  readonly name: string;
  /** Of a variable, without quotes and not expanded; empty for a command. */
  readonly value: string;
}

/** Files that shells and sessions of this user read. */
export function shellFiles(env: NodeJS.ProcessEnv): string[] {
  const home = userHome(env);
  const config = env['XDG_CONFIG_HOME'] || join(home, '.config');
  const zsh = env['ZDOTDIR'] || home;
  return [
    ...['.profile', '.bashrc', '.bash_profile', '.bash_login', '.bash_aliases', '.pam_environment'].map(name =>
      join(home, name),
    ),
    ...['.zshenv', '.zprofile', '.zshrc', '.zlogin'].map(name => join(zsh, name)),
    join(config, 'fish', 'config.fish'),
    ...filesIn(join(config, 'fish', 'conf.d'), '.fish'),
    ...filesIn(join(config, 'fish', 'functions'), '.fish'),
    ...filesIn(join(config, 'environment.d'), '.conf'),
    join(config, 'powershell', 'Microsoft.PowerShell_profile.ps1'),
    '/etc/environment',
  ];
}

/** What a file sets of these variables, and which of these programs it replaces. Comments say nothing. */
export function shellLines(file: string, variables: readonly string[], programs: readonly string[]): ShellLine[] {
  const text = textOfFile(file);
  if (text === null) return [];
  const patterns = [...variablePatterns(variables), ...commandPatterns(programs)];
  return text.split(/\r?\n/).flatMap((written, index) => {
    if (/^\s*#/.test(written)) return [];
    return patterns.flatMap(({ kind, pattern }) =>
      [...written.matchAll(pattern)].map(match => ({
        file,
        line: index + 1,
        kind,
        name: match.groups?.['name'] ?? '',
        value: unquoted(match.groups?.['value'] ?? ''),
      })),
    );
  });
}

interface Pattern {
  readonly kind: ShellLine['kind'];
  readonly pattern: RegExp;
}

function variablePatterns(names: readonly string[]): Pattern[] {
  const name = `(?<name>${names.join('|')})`;
  const value = `(?<value>"[^"]*"|'[^']*'|[^\\s;#&|]*)`;
  return [
    // NAME=value, with or without export; not $NAME=, nor a longer name.
    { kind: 'variable', pattern: new RegExp(`(?:^|[\\s;&])${name}=${value}`, 'g') },
    // fish: set -gx NAME value
    {
      kind: 'variable',
      pattern: new RegExp(`(?:^|[\\s;])set\\s+(?:-\\S+\\s+)*-\\S*x\\S*\\s+(?:-\\S+\\s+)*${name}\\s+${value}`, 'g'),
    },
    // PowerShell: $env:NAME = "value"
    { kind: 'variable', pattern: new RegExp(`\\$env:${name}\\s*=\\s*${value}`, 'gi') },
  ];
}

function commandPatterns(programs: readonly string[]): Pattern[] {
  const name = `(?<name>${programs.join('|')})`;
  return [
    { kind: 'command', pattern: new RegExp(`(?:^|[\\s;&])alias\\s+(?:-\\S+\\s+)*${name}(?:=|\\s)`, 'g') },
    { kind: 'command', pattern: new RegExp(`(?:^|[;&])\\s*${name}\\s*\\(\\s*\\)`, 'g') },
    { kind: 'command', pattern: new RegExp(`(?:^|[;&])\\s*function\\s+${name}(?:\\s|$|\\()`, 'g') },
  ];
}

function unquoted(value: string): string {
  return /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
}

function filesIn(directory: string, ending: string): string[] {
  try {
    return readdirSync(directory)
      .filter(name => name.endsWith(ending))
      .toSorted()
      .map(name => join(directory, name));
  } catch {
    return [];
  }
}
