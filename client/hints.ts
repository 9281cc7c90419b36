import type { CommandName, ViewName } from './contributions.ts';

/** What does in the editor what a hint of the server says to do in a terminal. */
export type Counterpart =
  | { readonly command: CommandName }
  | { readonly view: ViewName }
  /** On the page of a run; there is no command for it. */
  | { readonly button: 'regrade' | 'resume' };

const counterparts: Readonly<Record<string, Counterpart>> = {
  'task list': { view: 'tasks' },
  'task check': { command: 'checkReadiness' },
  'task fix': { command: 'checkReadiness' },
  'task start': { command: 'startRecording' },
  'task end': { command: 'endRecording' },
  'task discard': { command: 'discardRecording' },
  'task prepare': { command: 'prepareTask' },
  'task validate': { command: 'validateTask' },
  'task edit': { command: 'editTask' },
  'suite list': { view: 'tasks' },
  'suite show': { view: 'tasks' },
  run: { command: 'startRun' },
  'runs list': { view: 'runs' },
  'runs show': { command: 'openRun' },
  'runs regrade': { button: 'regrade' },
  'runs resume': { button: 'resume' },
  'runs diff': { command: 'reviewDiff' },
  'sessions list': { view: 'sessions' },
  'sessions show': { command: 'openSession' },
  'server stop': { command: 'restartServer' },
  '/logs': { command: 'openServerLog' },
};

// A command of ours with its arguments: <names>, "texts", --options and words that carry a name; a list takes none.
const commandLine =
  /`?codex-coach (\/\w+|[a-z]+(?: [a-z]+)?)(?: (?:<[^>]*>|"[^"]*"|--[\w-]+|(?<!\blist )[\w./:-]*[\w]))*`?/g;

/** A hint as a person reads it in the editor: commands of the terminal become `titleOf` their counterparts. */
export function hintInEditor(
  hint: string,
  titleOf: (counterpart: Counterpart) => string,
): { text: string; counterparts: Counterpart[] } {
  const found: Counterpart[] = [];
  const text = hint.replace(commandLine, (whole, name: string) => {
    const known = counterparts[name] ?? counterparts[name.split(' ')[0] ?? ''];
    if (known === undefined) return whole;
    found.push(known);
    return `“${titleOf(known)}”`;
  });
  return { text, counterparts: found };
}
