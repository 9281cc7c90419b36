import * as vscode from 'vscode';
import { CoachError } from '../../protocol/errors.ts';
import { type Suite, tasksToRun } from '../../protocol/suites.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Coach } from '../coach.ts';
import { askText, showWarning } from '../messages.ts';
import type { RunPanels } from '../panels/runPanels.ts';
import { pickStart } from '../repository.ts';
import type { MissingTaskNode, SuiteNode, TaskNode } from '../views/nodes.ts';
import { addTasks } from '../views/suites.ts';
import { type CommandHandlers, rowsOf } from './handler.ts';
import { tasksToPick } from './picks.ts';
import { askAndStartRun } from './startRun.ts';

type Names = 'createSuite' | 'addToSuite' | 'removeFromSuite' | 'runSuite' | 'openSuite' | 'deleteSuite';

/** Tasks that are run together. */
export function suiteCommands(coach: Coach, panels: RunPanels): CommandHandlers<Names> {
  return {
    createSuite: (target, selection) => createSuite(coach, tasksOf(target, selection)),
    addToSuite: (target, selection) => addToSuite(coach, tasksOf(target, selection)),
    removeFromSuite: (target, selection) => removeFromSuite(coach, target, selection),
    async runSuite(target) {
      const suite = suiteOf(target) ?? (await pickSuite(coach, vscode.l10n.t('Run Suite')));
      if (suite === undefined) return;
      const run = await askAndStartRun(coach, await tasksIn(coach, suite));
      if (run !== undefined) panels.open(run);
    },
    async openSuite(target) {
      const suite = suiteOf(target) ?? (await pickSuite(coach, vscode.l10n.t('Open Suite File')));
      if (suite !== undefined) await vscode.window.showTextDocument(vscode.Uri.file(suite.file));
    },
    async deleteSuite(target) {
      const suite = suiteOf(target) ?? (await pickSuite(coach, vscode.l10n.t('Delete Suite')));
      if (suite !== undefined) await deleteSuite(coach, suite);
    },
  };
}

async function createSuite(coach: Coach, chosen: readonly TaskSummary[]): Promise<void> {
  const repository = chosen[0]?.repository ?? (await pickStart(coach));
  if (repository === undefined) return;
  // Before anything is typed: without a task there is nothing to make one of.
  const choose = await choiceOf(coach, repository, chosen);
  if (choose === undefined) return;
  const title = await askText({
    title: vscode.l10n.t('Create Suite'),
    prompt: vscode.l10n.t('What the suite is called. Its file in .coach/suites gets a name made of it.'),
    validateInput: text => (text.trim() === '' ? vscode.l10n.t('Give it a title.') : undefined),
  });
  if (title === undefined) return;
  const tasks = await choose(vscode.l10n.t('Tasks of the Suite'));
  if (tasks === undefined) return;
  await coach.api.suites.create({ repository, title, tasks: tasks.map(({ id }) => id) });
}

async function addToSuite(coach: Coach, chosen: readonly TaskSummary[]): Promise<void> {
  const repository = chosen[0]?.repository ?? (await pickStart(coach));
  if (repository === undefined) return;
  const title = vscode.l10n.t('Add to Suite');
  const choose = await choiceOf(coach, repository, chosen);
  const tasks = await choose?.(title);
  if (tasks === undefined || tasks.length === 0) return;
  const { rows } = await coach.api.suites.list({ repository });
  const newSuite = { label: vscode.l10n.t('$(add) New suite…'), suite: null };
  const items = [...rows.filter(({ problem }) => problem === null).map(suiteWords), newSuite];
  const picked = await vscode.window.showQuickPick<{ label: string; suite: Suite | null }>(items, { title });
  if (picked === undefined) return;
  if (picked.suite === null) await createSuite(coach, tasks);
  else await addTasks(coach, picked.suite, tasks);
}

async function removeFromSuite(coach: Coach, target: unknown, selection: unknown): Promise<void> {
  const rows = [
    ...rowsOf<TaskNode>('task', target, selection).map(({ task, suite }) => ({ name: task.id, suite })),
    ...rowsOf<MissingTaskNode>('missingTask', target, selection),
  ];
  for (const of of Map.groupBy(rows, ({ suite }) => suite?.file).values()) {
    const suite = of[0]?.suite;
    if (suite === undefined) continue;
    const { repository, name } = suite;
    await coach.api.suites.remove({ repository, suite: name, tasks: of.map(row => row.name) });
  }
}

async function deleteSuite(coach: Coach, { repository, name, title }: Suite): Promise<void> {
  const remove = vscode.l10n.t('Delete');
  const chosen = await showWarning(
    vscode.l10n.t('Delete the suite “{0}”?', title),
    { modal: true, detail: vscode.l10n.t('Its file is deleted. Its tasks and their runs stay.') },
    remove,
  );
  if (chosen === remove) await coach.api.suites.delete({ repository, suite: name });
}

/** The tasks of a suite as it is now. @throws CoachError when it lacks one */
async function tasksIn(coach: Coach, { repository, name }: Suite): Promise<TaskSummary[]> {
  const names = tasksToRun(await coach.api.suites.show({ repository, suite: name }));
  const { rows } = await coach.api.tasks.list({ repository });
  return names.flatMap(id => rows.find(task => task.id === id && task.state !== 'created') ?? []);
}

async function pickSuite(coach: Coach, title: string): Promise<Suite | undefined> {
  const repository = await pickStart(coach);
  if (repository === undefined) return undefined;
  const { rows } = await coach.api.suites.list({ repository });
  if (rows.length === 0) {
    throw new CoachError('suite.missing', vscode.l10n.t('There is no suite in this repository.'), {
      hint: vscode.l10n.t('Make one with Create Suite.'),
    });
  }
  return (await vscode.window.showQuickPick(rows.map(suiteWords), { title }))?.suite;
}

function suiteWords(suite: Suite): vscode.QuickPickItem & { readonly suite: Suite } {
  return { label: visible(suite.title), description: suite.name, detail: suite.tasks.join(', '), suite };
}

/** What gives the tasks that were chosen already, or asks for some. Undefined, said why, where there is none to choose. */
async function choiceOf(
  coach: Coach,
  repository: string,
  chosen: readonly TaskSummary[],
): Promise<((title: string) => Promise<readonly TaskSummary[] | undefined>) | undefined> {
  if (chosen.length > 0) return async () => chosen;
  const prepared = await tasksToPick(coach, 'prepared', repository);
  if (prepared === undefined) return undefined;
  const items = prepared.map(task => ({ label: visible(task.title || task.id), description: task.id, task }));
  return async title => {
    const picked = await vscode.window.showQuickPick(items, { title, canPickMany: true, matchOnDescription: true });
    return picked?.map(({ task }) => task);
  };
}

function tasksOf(target: unknown, selection: unknown): TaskSummary[] {
  return rowsOf<TaskNode>('task', target, selection).map(({ task }) => task);
}

function suiteOf(target: unknown): Suite | undefined {
  return rowsOf<SuiteNode>('suite', target)[0]?.suite;
}
