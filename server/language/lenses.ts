import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import type { Suite } from '../../protocol/suites.ts';
import { fileCommands } from '../../protocol/taskFiles.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';

/** A command of the editor that a file offers above its first line. */
export interface Lens {
  readonly title: string;
  readonly tooltip: string;
  readonly command: string;
  readonly arguments: readonly unknown[];
}

/** What can be done with a task now; nothing that would only say that it can't. */
export function lensesOf(
  task: TaskSummary,
  trials: readonly TrialSummary[],
  runOf: (trial: TrialSummary) => RunSummary | null,
): Lens[] {
  const row = [{ kind: 'task', task }];
  if (task.state === 'created') {
    return [lens('Prepare', 'Seal the task, so that agents can be run on it', fileCommands.prepare, row)];
  }
  const canRun = task.state === 'proven' || task.problem === null;
  return [
    ...(canRun ? [lens('Run', 'Run agents on this task', fileCommands.run, row)] : []),
    lens(
      'Validate',
      'Prove in a sandbox that the reference solves it and doing nothing does not',
      fileCommands.validate,
      row,
    ),
    ...reviewed(trials, runOf),
  ];
}

/** A suite is run as a whole or not at all. */
export function lensesOfSuite(suite: Suite): Lens[] {
  if (suite.problem !== null || suite.missing.length > 0 || suite.tasks.length === 0) return [];
  return [lens('Run', 'Run agents on the tasks of this suite', fileCommands.runSuite, [{ kind: 'suite', suite }])];
}

function reviewed(trials: readonly TrialSummary[], runOf: (trial: TrialSummary) => RunSummary | null): Lens[] {
  const trial = trials.find(({ diff }) => (diff?.files ?? 0) > 0);
  const run = trial === undefined ? null : runOf(trial);
  if (trial === undefined || run === null) return [];
  const what = `what ${trial.agentLabel} #${trial.attempt} changed`;
  return [lens('Review', `Review ${what}`, fileCommands.review, [{ kind: 'trial', trial, run }])];
}

function lens(title: string, tooltip: string, command: string, args: readonly unknown[]): Lens {
  return { title, tooltip, command, arguments: args };
}
