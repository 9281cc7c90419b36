import { resolve } from 'node:path';
import type { Command } from 'commander';
import { remote } from '../../../protocol/api.ts';
import { JudgeParams } from '../../../protocol/rubric.ts';
import { runs } from '../../../protocol/runs.ts';
import { tasks } from '../../../protocol/tasks.ts';
import { environmentSettings, modelKeys } from '../../base/settings.ts';
import type { CommandContext } from './derived.ts';
import { numberOf } from './numberOptions.ts';
import { toText } from './render.ts';
import type { Terminal } from './terminal.ts';

export interface JudgeOptions {
  judge?: string;
  votes?: number;
}

const replay = 'replay:';

/** The options of every command that has a rubric judged. */
export function addJudgeOptions(command: Command): Command {
  return command
    .option(
      '--judge <judge>',
      'who judges rubrics: openai/<model>, anthropic/<model>, replay:<file, run directory or session:<id>>, none (default: COACH_JUDGE)',
    )
    .option(
      '--votes <n>',
      'answers of the judge per criterion, an odd number (default: COACH_JUDGE_VOTES, 3)',
      numberOf(JudgeParams.votes),
    );
}

/** What was asked for, with files as the server finds them: it works in another directory, and has another environment. */
export function judgeParams({ judge, votes }: JudgeOptions, { cwd, env }: Pick<Terminal, 'cwd' | 'env'>) {
  const named = judge ?? (environmentSettings(env).get('judge.model') || undefined);
  const asked = votes ?? env['COACH_JUDGE_VOTES'];
  return {
    ...(named === undefined ? {} : { judge: located(named, cwd) }),
    ...(asked ? { votes: Number(asked) } : {}),
  };
}

function located(judge: string, cwd: string): string {
  if (!judge.startsWith(replay) || judge.startsWith(`${replay}session:`)) return judge;
  return `${replay}${resolve(cwd, judge.slice(replay.length))}`;
}

/** `codex-coach runs regrade <run>`: judges what the trials left once more, with the keys of this terminal. */
export function addRegradeCommand(group: Command, { terminal, withServer }: CommandContext): void {
  const command = group
    .command('regrade <run-id>')
    .description(runs.members.regrade.summary)
    .option('--executor <id>', 'auto, docker or local', 'auto')
    .option('--rubric-only', 'keep what the tests gave, run nothing, and judge the rubric alone', false)
    .option('--json', 'print the verdicts as JSON', false);
  addJudgeOptions(command).action(
    async (runId: string, options: JudgeOptions & { executor: string; rubricOnly: boolean; json: boolean }) => {
      const { executor, rubricOnly, json } = options;
      const judged = await withServer(async channel => {
        const api = remote(runs, channel);
        const { run } = await api.show({ runId }, terminal.signal);
        const keys = modelKeys(terminal.env, run.repository);
        return api.regrade({ runId, executor, rubricOnly, keys, ...judgeParams(options, terminal) }, terminal.signal);
      });
      terminal.print(json ? JSON.stringify(judged, null, 2) : toText(runs.members.regrade, judged));
    },
  );
}

/** `codex-coach task validate <task>`: the same for the proof of a task that only a rubric judges. */
export function addValidateCommand(group: Command, { terminal, withServer }: CommandContext): void {
  const { validate } = tasks.members;
  const command = group
    .command('validate <task>')
    .description(validate.summary)
    .option('--repository <directory>', 'directory inside the git repository', '.')
    .option('--executor <id>', 'auto, docker or local', 'auto')
    .option(
      '--repeats <n>',
      validate.params.shape.repeats.description ?? '',
      numberOf(validate.params.shape.repeats),
      5,
    )
    .option('--json', 'print the answer as JSON', false);
  addJudgeOptions(command).action(
    async (
      task: string,
      options: JudgeOptions & { repository: string; executor: string; repeats: number; json: boolean },
    ) => {
      const repository = resolve(terminal.cwd, options.repository);
      const how = { executor: options.executor, repeats: options.repeats };
      const proven = await withServer(channel => {
        const keys = modelKeys(terminal.env, repository);
        const params = { repository, task, ...how, keys, ...judgeParams(options, terminal) };
        return remote(tasks, channel).validate(params, terminal.signal);
      });
      terminal.print(options.json ? JSON.stringify(proven, null, 2) : toText(validate, proven));
    },
  );
}
