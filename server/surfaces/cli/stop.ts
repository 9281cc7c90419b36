import type { Command } from 'commander';
import { remote } from '../../../protocol/api.ts';
import { server } from '../../../protocol/server.ts';
import { type CommandContext, noServer } from './derived.ts';
import { toText } from './render.ts';

interface StopOptions {
  idle: boolean;
  drain: boolean;
  json: boolean;
}

/** `codex-coach server stop`: what does not run is as good as stopped, and is not started for it. */
export function addStopCommand(group: Command, { terminal, withRunningServer }: CommandContext): void {
  group
    .command('stop')
    .description(
      'Stop the background server. Running trials are cancelled unless --idle or --drain, which then refuse.',
    )
    .option('--idle', 'Only when nothing else uses it', false)
    .option('--drain', 'Only when no trial runs and no agent is being recorded', false)
    .option('--json', 'Print the answer as JSON', false)
    .action(async ({ idle, drain, json }: StopOptions) => {
      const answer = await withRunningServer(channel => remote(server, channel).stop({ idle, drain }), 'passed over');
      if (json) terminal.print(JSON.stringify(answer ?? { stopping: false }, null, 2));
      else terminal.print(answer === null ? noServer : toText(server.members.stop, answer));
    });
}
