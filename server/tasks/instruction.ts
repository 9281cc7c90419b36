import { CoachError } from '../../protocol/errors.ts';
import type { TaskKind } from '../../protocol/tasks.ts';
import type { CleanSession } from '../traces/exports/export.ts';
import { isPrompt } from '../traces/sessions/conversationId.ts';
import { isProse } from './taskKind.ts';

/** Shortest line of a change that gives something away when it stands in the instruction. */
const minLeakCharacters = 12;

/** Leaked lines that a message names. */
const namedLeaks = 5;

/** What says that the work goes on, and nothing about it. */
const agreement =
  /^(?:y|yes|ok(?:ay)?|sure|thanks?|thank you|great|perfect|good|nice|continue|proceed|go(?: on| ahead)?|do it|commit(?: it| this)?|looks good|lgtm)\b.{0,20}$/is;

/** What a person asked for, oldest first: each wish once, without what an agent's program says in their name. */
export function promptsOf(session: CleanSession | null): string[] {
  const said = (session?.messages ?? []).flatMap(message => {
    // Some programs set tags of their own before the person's words.
    const isPerson = message.role === 'user' && isPrompt(message.text) && !/^\s*<[a-z_]+/i.test(message.text);
    return isPerson ? [message.text.trim()] : [];
  });
  const [first, ...later] = [...new Set(said)];
  return first === undefined ? [] : [first, ...later.filter(prompt => !agreement.test(prompt))];
}

/** What to ask of an agent: what was asked in the session, later wishes included; without one, the title and the notes. */
export function draftInstruction(title: string, notes: string, session: CleanSession | null): string {
  const prompts = promptsOf(session);
  const parts = prompts.length > 0 ? prompts : [title.trim(), notes.trim()];
  return parts.filter(part => part !== '').join('\n\n');
}

/**
 * Lines of code that a change adds and that stand in the instruction word for word; of documentation, where the text is
 * the solution, lines of text as well.
 */
export function leakedLines(instruction: string, solutionPatch: string, kind: TaskKind): string[] {
  const found = addedLines(solutionPatch, kind === 'documentation').filter(line => instruction.includes(line));
  return [...new Set(found)];
}

/**
 * Refuses an instruction that gives the solution away.
 * @throws CoachError `task.leak` naming the lines
 */
export function refuseLeakingInstruction(instruction: string, solutionPatch: string, kind: TaskKind): void {
  const leaked = leakedLines(instruction, solutionPatch, kind);
  if (leaked.length === 0) return;
  throw new CoachError('task.leak', leakSentence(leaked), {
    hint: 'Say in lm.instructions of tb_meta.json (codex-coach task edit) what is wanted, not how it is written, and prepare again.',
  });
}

export function leakSentence(leaked: readonly string[]): string {
  const more = leaked.length > namedLeaks ? ` and ${leaked.length - namedLeaks} more` : '';
  const lines = leaked.slice(0, namedLeaks).join(' | ');
  return `The instruction holds ${leaked.length === 1 ? 'a line' : 'lines'} of the solution: ${lines}${more}`;
}

/** Words that name no work by themselves, as many commit messages have them. */
const vague = new Set(
  'wip tmp fix fixed fixes fixing bug bugs issue issues stuff thing things misc update updates updated change changes changed cleanup clean up refactor refactoring improve improved improvements minor some more small typo typos the a an and it this that test tests code address review comments feedback initial commit merge branch work in progress of for to with'.split(
    ' ',
  ),
);

/** Why an instruction may be too little to work from, one sentence each; none when nothing was found. */
export function instructionNotes(instruction: string): string[] {
  const words = instruction.match(/\p{L}[\p{L}\p{N}_'-]*/gu) ?? [];
  if (words.length < 4) {
    return [
      `The instruction is very short (${words.length} words): say what is to be done, where, and how it is to behave.`,
    ];
  }
  if (words.every(word => vague.has(word.toLowerCase()))) {
    return ['The instruction names nothing to do: say what is to be done, where, and how it is to behave.'];
  }
  return [];
}

function addedLines(patch: string, withProse: boolean): string[] {
  const lines: string[] = [];
  let isSkipped = false;
  for (const line of patch.split('\n')) {
    if (line.startsWith('diff --git ')) isSkipped = !withProse && isProse(line.replace(/"$/, ''));
    else if (!isSkipped && line.startsWith('+') && !line.startsWith('+++ ')) lines.push(line.slice(1).trim());
  }
  return lines.filter(line => line.replaceAll(/[^\p{L}\p{N}]/gu, '').length >= minLeakCharacters);
}
