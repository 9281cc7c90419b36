import { CoachError } from '../../protocol/errors.ts';
import type { CleanSession } from '../traces/export.ts';

/** What agents put before the person's words: their environment, their rules files. */
const machineMade = /^\s*(?:<[a-z_]+|# AGENTS\.md)/i;

/** Shortest line of a change that gives something away when it stands in the instruction. */
const minLeakCharacters = 12;

/** The first words of the person, or null when the session has none. */
export function firstPrompt(session: CleanSession | null): string | null {
  const messages = session?.messages ?? [];
  const prompt = messages.find(
    message => message.role === 'user' && message.text.trim() !== '' && !machineMade.test(message.text),
  );
  return prompt?.role === 'user' ? prompt.text.trim() : null;
}

/** What to ask of an agent: what was asked in the session; without one, the title and the notes. */
export function draftInstruction(title: string, notes: string, session: CleanSession | null): string {
  return firstPrompt(session) ?? [title.trim(), notes.trim()].filter(part => part !== '').join('\n\n');
}

/**
 * Refuses an instruction that gives the solution away: a whole line of added code stands in it word for word.
 * @throws CoachError `task.leak`
 */
export function refuseLeakingInstruction(instruction: string, solutionPatch: string): void {
  const leaked = addedCode(solutionPatch).find(line => instruction.includes(line));
  if (leaked === undefined) return;
  throw new CoachError('task.leak', `The instruction holds a line of the solution: ${leaked}`, {
    hint: 'Say in lm.instructions of tb_meta.json what is wanted, not how it is written, and prepare again.',
  });
}

function addedCode(patch: string): string[] {
  const lines: string[] = [];
  let isProse = false;
  for (const line of patch.split('\n')) {
    if (line.startsWith('diff --git ')) isProse = /\.(?:md|txt|rst|adoc)"?$/.test(line);
    else if (!isProse && line.startsWith('+') && !line.startsWith('+++ ')) lines.push(line.slice(1).trim());
  }
  return lines.filter(line => line.replaceAll(/[^\p{L}\p{N}]/gu, '').length >= minLeakCharacters);
}
