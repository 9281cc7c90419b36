import type { Command } from 'commander';
import { CoachError } from '../../../protocol/errors.ts';
import { shellWord } from '../../base/shell.ts';

/** Commands of ours that Codex has too, for something else. */
const shared: ReadonlySet<string> = new Set(['agents', 'doctor', 'help', 'mcp', 'review']);

/** How Codex is asked what our command of the same name was asked and does not take; null where none was meant. */
export function codexNamesake(program: Command, argv: readonly string[]): string | null {
  const [name = '', sub = ''] = argv;
  const isOurs = find(find(program, name), sub) !== undefined;
  return shared.has(name) && !isOurs ? `Codex’s own command of this name: ${toCodex(argv)}` : null;
}

/** @throws CoachError `input.invalid` for `help` on a command that there is none of */
export function refuseUnknownHelp(program: Command, [first, name = '']: readonly string[]): void {
  if (first !== 'help' || !/^[a-z]/i.test(name) || name === 'help' || find(program, name) !== undefined) return;
  throw new CoachError('input.invalid', `There is no command ${name}.`, {
    hint: `See: codex-coach help. Codex’s own help: ${toCodex(['help', name])}`,
  });
}

function find(group: Command | undefined, name: string): Command | undefined {
  return group?.commands.find(command => command.name() === name || command.aliases().includes(name));
}

function toCodex(argv: readonly string[]): string {
  return `codex-coach codex ${argv.map(shellWord).join(' ')}`;
}
