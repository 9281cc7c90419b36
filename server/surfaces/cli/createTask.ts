import { resolve } from 'node:path';
import type { Command } from 'commander';
import type * as z from 'zod';
import { remote } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { type TaskSummary, type taskCreation, tasks } from '../../../protocol/tasks.ts';
import { runTracedCodex } from './codex.ts';
import type { CommandContext } from './derived.ts';
import { toText } from './render.ts';
import type { Terminal } from './terminal.ts';

interface CreateOptions {
  repository: string;
  model?: string;
  json: boolean;
}

/** `codex-coach task create "…"`: Codex works on the prompt, recorded; what it changed becomes a created task. */
export function addCreateCommand(group: Command, { terminal, withServer }: CommandContext): void {
  group
    .command('create <prompt> [codexArgs...]')
    .description('Let Codex work on a prompt, recorded, and capture what it did as a created task')
    .usage('[options] <prompt> [-- arguments for codex exec]')
    .option('--model <model>', "model for Codex; default: Codex's own")
    .option('--repository <directory>', 'directory inside the git repository', '.')
    .option('--json', 'Print the answer as JSON', false)
    .action(async (prompt: string, codexArgs: string[], { repository, model, json }: CreateOptions) => {
      const place = resolve(terminal.cwd, repository);
      const write = (chunk: Buffer) => void process.stderr.write(chunk);
      const task = await withServer(
        channel => createTask({ repository: place, prompt, model, codexArgs }, write, channel, terminal),
        'refused',
      );
      terminal.print(json ? JSON.stringify(task, null, 2) : toText(tasks.members.end, task));
    });
}

/** Starts the recording, lets Codex work, and ends it; a recording that comes to nothing is discarded. */
export async function createTask(
  { repository, prompt, model, codexArgs }: z.output<typeof taskCreation.params>,
  onOutput: (chunk: Buffer) => void,
  channel: Channel,
  terminal: Terminal,
): Promise<TaskSummary> {
  const api = remote(tasks, channel);
  await api.start({ repository, title: titleOf(prompt), notes: prompt }, terminal.signal);
  try {
    const chosen = model === undefined ? [] : ['-m', model];
    // After `--` a prompt is none of Codex's options, whatever it begins with.
    const argv = ['exec', '-s', 'workspace-write', ...chosen, ...codexArgs, '--', prompt];
    const { exitCode, sessionIds } = await runTracedCodex(
      { argv, cwd: repository, onStdout: onOutput, onStderr: onOutput },
      channel,
      terminal,
    );
    terminal.signal.throwIfAborted();
    if (exitCode !== 0) {
      throw new CoachError('sandbox.failed', `Codex ended with exit code ${exitCode}; no task was written.`, {
        hint: 'Its changes are still in the working tree, and its messages say why.',
      });
    }
    return await api.end({ repository, sessionId: sessionIds[0] });
  } catch (error) {
    await api.discard({ repository }).catch(() => undefined);
    throw error;
  }
}

function titleOf(prompt: string): string {
  const line = prompt.trim().split('\n')[0] ?? '';
  return line.length <= 120 ? line : `${line.slice(0, 119)}…`;
}
