import { resolve } from 'node:path';
import type { Command } from 'commander';
import { remote } from '../../../protocol/api.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { tasks } from '../../../protocol/tasks.ts';
import { runTracedCodex } from './codex.ts';
import type { CommandContext } from './derived.ts';
import { toText } from './render.ts';

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
    .action(async (prompt: string, codexArgs: string[], options: CreateOptions) => {
      const repository = resolve(terminal.cwd, options.repository);
      const task = await withServer(async channel => {
        const api = remote(tasks, channel);
        await api.start({ repository, title: titleOf(prompt), notes: prompt }, terminal.signal);
        try {
          const model = options.model === undefined ? [] : ['-m', options.model];
          const argv = ['exec', '-s', 'workspace-write', ...model, ...codexArgs, prompt];
          const write = (chunk: Buffer) => void process.stderr.write(chunk);
          const { exitCode, sessionIds } = await runTracedCodex(
            { argv, cwd: repository, onStdout: write, onStderr: write },
            channel,
            terminal,
          );
          terminal.signal.throwIfAborted();
          if (exitCode !== 0) {
            throw new CoachError('sandbox.failed', `Codex ended with exit code ${exitCode}; no task was written.`, {
              hint: 'Its changes are still in the working tree. See its messages above.',
            });
          }
          return await api.end({ repository, sessionId: sessionIds[0] });
        } catch (error) {
          await api.discard({ repository }).catch(() => undefined);
          throw error;
        }
      });
      terminal.print(options.json ? JSON.stringify(task, null, 2) : toText(tasks.members.end, task));
    });
}

function titleOf(prompt: string): string {
  const line = prompt.trim().split('\n')[0] ?? '';
  return line.length <= 120 ? line : `${line.slice(0, 119)}…`;
}
