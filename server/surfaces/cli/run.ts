import { resolve } from 'node:path';
import type { Command } from 'commander';
import { remote } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { type AgentChoice, type RunSummary, runs, type TrialSummary } from '../../../protocol/runs.ts';
import { modelKeys } from '../../base/settings.ts';
import type { CommandContext } from './derived.ts';
import { trialTable } from './render.ts';
import { exitCodes, type Terminal } from './terminal.ts';

interface RunOptions {
  repository: string;
  agent: string[];
  command?: string;
  replay?: string;
  attempts: string;
  timeout: string;
  maxTokens?: string;
  executor: string;
  concurrency: string;
  unproven: boolean;
  json: boolean;
}

/** `codex-coach run <task…>`: starts a run, prints its events, ends with the table. Ctrl-C cancels the run. */
export function addRunCommand(
  program: Command,
  { terminal, withServer }: CommandContext,
  exit: (code: number) => void,
): void {
  program
    .command('run <task...>')
    .description('Run agents on prepared tasks in sandboxes and judge them')
    .option('--agent <choice...>', 'id, id/model or id/model=label: codex, oracle, nop, command', ['codex'])
    .option(
      '--command <template>',
      'for the agent `command`: program and arguments, {instruction} and {model} are filled in',
    )
    .option('--replay <recording>', 'answer codex from a recording: a file, or session:<id>')
    .option('--attempts <n>', 'attempts per task and agent', '1')
    .option('--timeout <seconds>', 'wall-clock limit per trial', '1800')
    .option('--max-tokens <n>', 'token limit per trial')
    .option('--executor <id>', 'auto, docker or local', 'auto')
    .option('--concurrency <n>', 'trials at the same time', '1')
    .option('--unproven', 'also run tasks that are not proven; they are marked in every report', false)
    .option('--repository <directory>', 'directory inside the git repository', '.')
    .option('--json', 'print the run and its trials as JSON at the end', false)
    .action(async (tasks: string[], options: RunOptions) => {
      const { run, trials } = await withServer(async channel => {
        const started = await remote(runs, channel).start(
          {
            repository: resolve(terminal.cwd, options.repository),
            tasks,
            agents: options.agent.map(text =>
              parseChoice(text, { ...options, ...located(options.replay, terminal.cwd) }),
            ),
            attempts: Number(options.attempts),
            limits: {
              timeoutSec: Number(options.timeout),
              maxTokens: options.maxTokens === undefined ? null : Number(options.maxTokens),
            },
            executor: options.executor,
            concurrency: Number(options.concurrency),
            unproven: options.unproven,
            keys: modelKeys(terminal.env, resolve(terminal.cwd, options.repository)),
          },
          terminal.signal,
        );
        await followRun(started, channel, terminal, line => terminal.note(line));
        return remote(runs, channel).show({ runId: started.id });
      });
      if (options.json) terminal.print(JSON.stringify({ run, trials }, null, 2));
      else
        terminal.print(
          [
            `Run ${run.id}: ${run.directory}`,
            trialTable(trials),
            ...run.notIsolated.map(line => `Not isolated: ${line}`),
          ].join('\n'),
        );
      exit(exitCodeOf(run, trials));
    });
}

/** The recording as the server finds it: it works in another directory. */
function located(replay: string | undefined, cwd: string): { replay?: string } {
  if (replay === undefined) return {};
  return { replay: replay.startsWith('session:') ? replay : resolve(cwd, replay) };
}

/** `id[/model][=label]` as a choice; `--command` and `--replay` go to the agents they are for. */
export function parseChoice(text: string, options: { command?: string; replay?: string }): AgentChoice {
  const match = /^([a-z]+)(?:\/([^=]+))?(?:=(.+))?$/.exec(text);
  const id = match?.[1];
  if (id === undefined) {
    throw new CoachError('input.invalid', `"${text}" is not an agent.`, {
      hint: 'Write id, id/model or id/model=label, such as codex/gpt-5.5.',
    });
  }
  return {
    id,
    model: match?.[2] ?? null,
    label: match?.[3] ?? null,
    command: id === 'command' && options.command !== undefined ? splitTemplate(options.command) : null,
    replay: id === 'codex' ? (options.replay ?? null) : null,
  };
}

/** Prints a run's journal until its end. An aborted terminal cancels the run and waits for it to stop. */
export async function followRun(
  run: RunSummary,
  channel: Channel,
  terminal: Pick<Terminal, 'signal'>,
  print: (line: string) => void,
): Promise<void> {
  const api = remote(runs, channel);
  let after = 0;
  const drain = async () => {
    const { events } = await api.events({ runId: run.id, after });
    for (const event of events) {
      after = event.seq;
      if (event.kind !== 'usage') print(`  ${event.trialId ?? run.id}  ${event.text}`);
    }
  };
  const cancel = () => void api.cancel({ runId: run.id }).catch(() => undefined);
  if (terminal.signal.aborted) cancel();
  terminal.signal.addEventListener('abort', cancel, { once: true });
  try {
    await new Promise<void>((resolveEnd, reject) => {
      let draining: Promise<void> = Promise.resolve();
      const step = () => {
        draining = draining.then(drain).catch(reject);
      };
      const progress = api.on('progress', event => event.runId === run.id && step());
      const ended = api.on('changed', summary => summary.id === run.id && summary.state !== 'running' && finish());
      const finish = () => {
        progress.dispose();
        ended.dispose();
        step();
        void draining.then(() => resolveEnd());
      };
      step();
      // The run may have ended before the listeners stood.
      void api.show({ runId: run.id }).then(({ run: now }) => now.state !== 'running' && finish(), reject);
    });
  } finally {
    terminal.signal.removeEventListener('abort', cancel);
  }
}

function exitCodeOf(run: RunSummary, trials: readonly TrialSummary[]): number {
  if (run.state === 'cancelled') return exitCodes.interrupted;
  return trials.some(trial => trial.reward === null) ? exitCodes.noVerdict : exitCodes.ok;
}

/** Words of a template; quotes keep blanks together. No shell is involved. */
function splitTemplate(template: string): string[] {
  return [...template.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(match => match[1] ?? match[2] ?? match[3] ?? '');
}
