import { resolve } from 'node:path';
import type { Command } from 'commander';
import { remote } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { type AgentChoice, RunLimits, type RunSummary, runs, type TrialSummary } from '../../../protocol/runs.ts';
import { suites, tasksToRun } from '../../../protocol/suites.ts';
import { agents } from '../../agents/index.ts';
import { modelKeys } from '../../base/settings.ts';
import type { CommandContext } from './derived.ts';
import { addJudgeOptions, type JudgeOptions, judgeParams } from './judge.ts';
import { numberOf } from './numberOptions.ts';
import { confirmCost, planText } from './planned.ts';
import { flagLines, trialTable } from './render.ts';
import { rubricLines } from './renderRubric.ts';
import { exitCodes, type Terminal } from './terminal.ts';

interface RunOptions extends JudgeOptions {
  repository: string;
  suite: string[];
  agent: string[];
  command?: string;
  replay?: string;
  predictions?: string;
  attempts: number;
  timeout: number;
  maxTokens?: number;
  maxUsd?: number;
  idle?: number;
  executor: string;
  concurrency: number;
  startConcurrency: number;
  retries: number;
  fresh: boolean;
  unproven: boolean;
  dryRun: boolean;
  yes: boolean;
  json: boolean;
}

const { attempts, concurrency, startConcurrency, retries } = runs.members.start.params.shape;
const { timeoutSec, maxTokens, maxUsd, idleSec } = RunLimits.shape;

type StartParams = Parameters<ReturnType<typeof remote<typeof runs>>['start']>[0];

/** `codex-coach run <task…>`: starts a run, prints its events, ends with the table. Ctrl-C cancels the run. */
export function addRunCommand(program: Command, context: CommandContext, exit: (code: number) => void): void {
  const { terminal, withServer } = context;
  const command = program
    .command('run [task...]')
    .description('Run agents on prepared tasks in sandboxes and judge them')
    .option('--suite <name...>', 'also the tasks of these suites', [])
    .option(
      '--agent <choice...>',
      'id, id/model or id/model=label: codex, claude, gemini, opencode, qwen, oracle, nop, command',
      ['codex'],
    )
    .option(
      '--command <template>',
      'for the agent `command`: program and arguments, {instruction} and {model} are filled in',
    )
    .option('--predictions <file>', 'for the agent `predictions`: SWE-bench predictions, as JSON or JSON lines')
    .option('--replay <recording>', 'answer the agents of models from a recording: a file, or session:<id>')
    .option('--attempts <n>', 'attempts per task and agent', numberOf(attempts), 1)
    .option('--timeout <seconds>', 'wall-clock limit per trial', numberOf(timeoutSec), 1800)
    .option('--max-tokens <n>', 'token limit per trial', numberOf(maxTokens))
    .option('--max-usd <amount>', 'money limit per trial, where the price is known', numberOf(maxUsd))
    .option(
      '--idle <seconds>',
      'end an agent as stalled after so long without a sign of life (default 900)',
      numberOf(idleSec),
    )
    .option('--executor <id>', 'auto, docker or local', 'auto')
    .option('--concurrency <n>', 'trials at the same time', numberOf(concurrency), 1)
    .option('--start-concurrency <n>', 'sandboxes started at the same time', numberOf(startConcurrency), 2)
    .option('--retries <n>', 'further tries of a trial after a failure of the machine', numberOf(retries), 2)
    .option('--fresh', 'run every trial, also where the verdict of the same one is there', false)
    .option('--unproven', 'also run tasks that are not proven; they are marked in every report', false)
    .option('--repository <directory>', 'directory inside the git repository', '.')
    .option('--dry-run', 'print what would be run, what it may cost and how long it may take, and stop', false)
    .option('--yes', 'do not ask before money is spent', false)
    .option('--json', 'print the run and its trials, or the plan, as JSON at the end', false);
  addJudgeOptions(command).action(async (tasks: string[], options: RunOptions) => {
    if (tasks.length + options.suite.length === 0) command.error('error: name tasks, or a suite with --suite');
    const given = toParams(tasks, options, terminal);
    const planned = async (channel: Channel) => ({ ...given, tasks: await allTasks(given, options.suite, channel) });
    if (options.dryRun) {
      const plan = await withServer(async channel =>
        remote(runs, channel).plan(await planned(channel), terminal.signal),
      );
      return terminal.print(options.json ? JSON.stringify(plan, null, 2) : planText(plan));
    }
    await runAndShow(context, options.json, exit, async channel => {
      const api = remote(runs, channel);
      const params = await planned(channel);
      if (process.stdin.isTTY && !options.yes) await confirmCost(await api.plan(params, terminal.signal), terminal);
      // Not given up on Ctrl-C: a run that has begun must be cancelled, which followRun does.
      return api.start(params);
    });
  });
}

/** `codex-coach runs resume <run>`: goes on with a run and follows it like `run`. */
export function addResumeCommand(group: Command, context: CommandContext, exit: (code: number) => void): void {
  const { terminal } = context;
  group
    .command('resume <run-id>')
    .description(runs.members.resume.summary)
    .option('--json', 'print the run and its trials as JSON at the end', false)
    .action((runId: string, { json }: { json: boolean }) =>
      runAndShow(context, json, exit, async channel => {
        const api = remote(runs, channel);
        const { run } = await api.show({ runId }, terminal.signal);
        return api.resume({ runId, keys: modelKeys(terminal.env, run.repository) });
      }),
    );
}

/** Follows a run to its end and shows what it came to. */
async function runAndShow(
  { terminal, withServer }: CommandContext,
  json: boolean,
  exit: (code: number) => void,
  begin: (channel: Channel) => Promise<RunSummary>,
): Promise<void> {
  const { run, trials } = await withServer(async channel => {
    const started = await begin(channel);
    await followRun(started, channel, terminal, line => terminal.note(line));
    return remote(runs, channel).show({ runId: started.id });
  }, 'refused');
  const text = () =>
    [
      `Run ${run.id}: ${run.directory}`,
      trialTable(trials),
      ...trials.flatMap(rubricLines),
      ...trials.flatMap(flagLines),
      ...run.notIsolated.map(line => `Not isolated: ${line}`),
    ].join('\n');
  terminal.print(json ? JSON.stringify({ run, trials }, null, 2) : text());
  exit(exitCodeOf(run, trials));
}

/** Those that are named and those of the suites, each once. @throws CoachError naming a suite or a task that is missing */
async function allTasks(
  { repository, tasks }: Pick<StartParams, 'repository' | 'tasks'>,
  names: readonly string[],
  channel: Channel,
): Promise<string[]> {
  const api = remote(suites, channel);
  const found = await Promise.all(names.map(suite => api.show({ repository, suite })));
  return [...new Set([...tasks, ...found.flatMap(tasksToRun)])];
}

function toParams(tasks: string[], options: RunOptions, { cwd, env }: Terminal): StartParams {
  const repository = resolve(cwd, options.repository);
  const { maxUsd, idle: idleSec } = options;
  return {
    repository,
    tasks,
    agents: options.agent.map(text => parseChoice(text, { ...options, ...located(options, cwd) })),
    attempts: options.attempts,
    limits: {
      timeoutSec: options.timeout,
      maxTokens: options.maxTokens ?? null,
      ...(maxUsd === undefined ? {} : { maxUsd }),
      ...(idleSec === undefined ? {} : { idleSec }),
    },
    executor: options.executor,
    concurrency: options.concurrency,
    startConcurrency: options.startConcurrency,
    retries: options.retries,
    fresh: options.fresh,
    unproven: options.unproven,
    keys: modelKeys(env, repository),
    ...judgeParams(options, { cwd, env }),
  };
}

/** The recording as the server finds it: it works in another directory. */
interface ChoiceFiles {
  readonly replay?: string;
  readonly predictions?: string;
}

function located({ replay, predictions }: ChoiceFiles, cwd: string): ChoiceFiles {
  return {
    ...(replay === undefined ? {} : { replay: replay.startsWith('session:') ? replay : resolve(cwd, replay) }),
    ...(predictions === undefined ? {} : { predictions: resolve(cwd, predictions) }),
  };
}

/** `id[/model][=label]` as a choice; `--command`, `--predictions` and `--replay` go to the agents they are for. */
export function parseChoice(text: string, options: { command?: string } & ChoiceFiles): AgentChoice {
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
    command: commandOf(id, options),
    replay: talksToModel(id) ? (options.replay ?? null) : null,
  };
}

function talksToModel(id: string): boolean {
  return agents.some(agent => agent.id === id && agent.dialect !== null);
}

function commandOf(id: string, { command, predictions }: { command?: string } & ChoiceFiles): string[] | null {
  if (id === 'predictions') return predictions === undefined ? null : [predictions];
  return id === 'command' && command !== undefined ? splitTemplate(command) : null;
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
  let cancelled: Promise<unknown> = Promise.resolve();
  const cancel = () => {
    cancelled = api.cancel({ runId: run.id }).catch(() => undefined);
  };
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
  // It is over when its sandboxes are gone, a moment after its last word.
  await cancelled;
}

function exitCodeOf(run: RunSummary, trials: readonly TrialSummary[]): number {
  if (run.state === 'cancelled') return exitCodes.interrupted;
  return trials.some(trial => trial.reward === null) ? exitCodes.noVerdict : exitCodes.ok;
}

/** Words of a template; quotes keep blanks together. No shell is involved. */
function splitTemplate(template: string): string[] {
  return [...template.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(match => match[1] ?? match[2] ?? match[3] ?? '');
}
