import * as vscode from 'vscode';
import { toReward } from '../../protocol/figures.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';
import type { BusyTasks } from '../busyTasks.ts';
import type { Coach } from '../coach.ts';
import { hintWords } from '../failures.ts';
import { chosenJudge } from '../judge.ts';
import { showWarning } from '../messages.ts';
import { offerNext } from '../nextStep.ts';
import { withCancellableProgress } from '../progress.ts';
import { setting } from '../settings.ts';
import type { TaskNode } from '../views/nodes.ts';
import { type CommandHandlers, rowsOf } from './handler.ts';
import { pickTask } from './picks.ts';

type Names = 'prepareTask' | 'validateTask' | 'editTask' | 'openTaskInstruction';

/** From a created task to a proven one. */
export function taskCommands(coach: Coach, busy: BusyTasks): CommandHandlers<Names> {
  return {
    prepareTask: target => prepareTask(coach, busy, target),
    validateTask: target => validateTask(coach, busy, target),
    editTask: target => editTask(coach, target),
    openTaskInstruction: target => openTaskInstruction(coach, target),
  };
}

async function prepareTask(coach: Coach, busy: BusyTasks, target: unknown): Promise<void> {
  const title = vscode.l10n.t('Prepare Task');
  const task = taskOf(target) ?? (await pickTask(coach, title, 'created'));
  if (task === undefined) return;
  const prepared = await withCancellableProgress(vscode.l10n.t('Preparing “{0}”', task.title), signal =>
    busy.during(task, 'preparing', () =>
      coach.api.tasks.prepare({ repository: task.repository, task: task.id }, signal),
    ),
  );
  await offer(
    vscode.l10n.t(
      '“{0}” is prepared. Validating proves that its reference solves it and doing nothing does not.',
      task.title,
    ),
    prepared,
    ['validateTask'],
  );
}

async function validateTask(coach: Coach, busy: BusyTasks, target: unknown): Promise<void> {
  const title = vscode.l10n.t('Validate Task');
  const task = taskOf(target) ?? (await pickTask(coach, title, 'prepared'));
  if (task === undefined) return;
  const executor = setting('run.executor', vscode.Uri.file(task.repository));
  const validated = await withCancellableProgress(vscode.l10n.t('Validating “{0}”', task.title), signal =>
    busy.during(task, 'validating', () =>
      coach.keys.with(keys =>
        coach.api.tasks.validate(
          { repository: task.repository, task: task.id, executor, ...chosenJudge(), keys },
          signal,
        ),
      ),
    ),
  );
  const rewards = [toReward(validated.proof?.reference ?? null), toReward(validated.proof?.noOp ?? null)];
  if (validated.state === 'proven') {
    const proven = vscode.l10n.t('“{0}” is proven: reference {1}, no-op {2}.', task.title, ...rewards);
    await offer(proven, validated, ['startRun']);
  } else {
    void showWarning(
      vscode.l10n.t(
        '“{0}” is not proven: reference {1}, no-op {2}. {3}',
        task.title,
        ...rewards,
        validated.problem ?? '',
      ),
    );
  }
}

/** Tells what was made and what to look at, and offers the next step. */
export async function offerPrepare(task: TaskSummary, notes: readonly string[]): Promise<void> {
  const made = vscode.l10n.t(
    'Task “{0}” is created in .coach, to be committed with your repository. Preparing it makes it runnable.',
    task.title,
  );
  const words = [made, ...notes.map(hintWords)].join(' ');
  await offer(words, task, notes.length === 0 ? ['prepareTask'] : ['prepareTask', 'editTask']);
}

/** Opens what a person may change of it. The server says which file that is; the proof is gone once it is saved. */
async function editTask(coach: Coach, target: unknown): Promise<void> {
  const task = taskOf(target) ?? (await pickTask(coach, vscode.l10n.t('Edit Task')));
  if (task === undefined) return;
  const parts = [
    {
      label: vscode.l10n.t('Instruction'),
      detail: vscode.l10n.t('What the agent is asked to do'),
      part: 'instruction',
    },
    { label: vscode.l10n.t('Settings'), detail: vscode.l10n.t('Limits, verifier, tests, rubric'), part: 'settings' },
  ] as const;
  const title = vscode.l10n.t('Edit Task “{0}”', task.title);
  const chosen = await vscode.window.showQuickPick(parts, { title });
  if (chosen === undefined) return;
  const { file } = await coach.api.tasks.edit({ repository: task.repository, task: task.id, part: chosen.part });
  await vscode.window.showTextDocument(vscode.Uri.file(file));
}

async function openTaskInstruction(coach: Coach, target: unknown): Promise<void> {
  const task = taskOf(target) ?? (await pickTask(coach, vscode.l10n.t('Open Task Instruction')));
  if (task === undefined) return;
  const file = task.state === 'created' ? 'tb_meta.json' : 'instruction.md';
  await vscode.window.showTextDocument(vscode.Uri.joinPath(vscode.Uri.file(task.directory), file));
}

function taskOf(target: unknown): TaskSummary | undefined {
  return rowsOf<TaskNode>('task', target)[0]?.task;
}

/** Tells what is done and offers what can be done next with the same task. */
async function offer(
  text: string,
  task: TaskSummary,
  names: readonly ('prepareTask' | 'editTask' | 'validateTask' | 'startRun')[],
): Promise<void> {
  await offerNext('information', text, names, { kind: 'task', task });
}
