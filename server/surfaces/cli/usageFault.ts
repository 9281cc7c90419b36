import type { Command, CommanderError } from 'commander';
import { CoachError } from '../../../protocol/errors.ts';

/** What the command line says of wrong usage, as a fault like our own: `--json` answers with JSON then, too. */
export function usageFault(
  { code, message }: CommanderError,
  program: Command,
  argv: readonly string[],
  namesake: string | null,
): CoachError {
  const { words, isGroup } = named(program, argv);
  const command = ['codex-coach', ...words].join(' ');
  // A group answers with its help, and knows no --json of its own.
  const isBare = code === 'commander.help' || (isGroup && message.includes("option '--json'"));
  const fault = isBare ? `a command is missing after ${command}` : message.replace(/^error: /, '');
  const hint = [`See: ${command} --help`, ...(namesake === null ? [] : [namesake])].join('. ');
  return new CoachError('input.invalid', toSentence(fault.replace(/\s*\n\s*/g, ' ')), { hint });
}

/** The leading words that name a command of ours, and whether it is one of several others. */
function named(group: Command, [word = '', ...rest]: readonly string[]): { words: string[]; isGroup: boolean } {
  const command = group.commands.find(each => each.name() === word || each.aliases().includes(word));
  if (command === undefined) return { words: [], isGroup: group.commands.length > 0 };
  const { words, isGroup } = named(command, rest);
  return { words: [word, ...words], isGroup };
}

function toSentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.?)]$/.test(words) ? '' : '.'}`;
}
