import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { remote } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { type TaskPart, tasks } from '../../../protocol/tasks.ts';
import { start } from '../../base/exec.ts';
import type { CommandContext } from './derived.ts';
import { toText } from './render.ts';
import type { Terminal } from './terminal.ts';

interface EditOptions {
  repository: string;
  part: TaskPart;
  instruction?: string;
  settings?: string;
  json: boolean;
}

/** `codex-coach task edit <task>`: the person's editor on what may be changed; without a terminal, where it lies. */
export function addEditCommand(group: Command, { terminal, withServer }: CommandContext): void {
  group
    .command('edit <task>')
    .description('Edit a task in $VISUAL or $EDITOR; a change that breaks it is refused and the old text stays')
    .option('--part <part>', 'instruction, or settings: task.toml, tb_meta.json while created', 'instruction')
    .option('--instruction <file>', 'take the instruction from this file instead')
    .option('--settings <file>', 'take the settings from this file instead')
    .option('--repository <directory>', 'directory inside the git repository', '.')
    .option('--json', 'Print the answer as JSON', false)
    .action(async (task: string, options: EditOptions) => {
      const repository = resolve(terminal.cwd, options.repository);
      const answer = await withServer(channel => editWith({ repository, task }, options, channel, terminal));
      terminal.print(options.json ? JSON.stringify(answer, null, 2) : toText(tasks.members.edit, answer));
    });
}

interface Edited {
  readonly repository: string;
  readonly task: string;
}

async function editWith(edited: Edited, options: EditOptions, channel: Channel, terminal: Terminal) {
  const api = remote(tasks, channel);
  const given = options.settings ?? options.instruction;
  if (given !== undefined) {
    const content = await readFile(resolve(terminal.cwd, given), 'utf8').catch((cause: unknown) => {
      throw new CoachError('input.invalid', `${given} can't be read.`, { cause, hint: 'Check the path.' });
    });
    return api.edit({ ...edited, part: options.settings === undefined ? 'instruction' : 'settings', content });
  }
  const part = options.part;
  const present = await api.edit({ ...edited, part });
  const editor = terminal.env['VISUAL'] || terminal.env['EDITOR'];
  if (!editor || !process.stdin.isTTY || !process.stdout.isTTY) return present;
  return editIn(editor, present, content => api.edit({ ...edited, part, content }), terminal);
}

/** A refused text is kept in its file, so that the work is not lost. */
async function editIn<T>(
  editor: string,
  present: { readonly file: string; readonly content: string },
  send: (content: string) => Promise<T>,
  terminal: Terminal,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'codex-coach-edit-'));
  const file = join(
    directory,
    basename(present.file).replace('tb_meta.json', present.content.startsWith('{') ? 'tb_meta.json' : 'instruction.md'),
  );
  await writeFile(file, present.content);
  // As git does it: the setting is a shell's words, such as `code --wait`.
  const argv: [string, ...string[]] = ['sh', '-c', `${editor} "$@"`, editor, file];
  const { exitCode } = await start({ argv, cwd: terminal.cwd, env: terminal.env, inherit: true }).done;
  if (exitCode !== 0) {
    throw new CoachError('input.invalid', `${editor} ended with exit code ${exitCode}; nothing was changed.`, {
      hint: 'Choose another: EDITOR=nano codex-coach task edit …',
    });
  }
  try {
    const answer = await send(await readFile(file, 'utf8'));
    await rm(directory, { recursive: true, force: true });
    return answer;
  } catch (error) {
    const { code, message } = CoachError.from(error);
    throw new CoachError(code, `${message} Your text is kept in ${file}.`, {
      cause: error,
      hint: 'Mend it and hand it in with --instruction or --settings.',
    });
  }
}
