import { basename } from 'node:path';
import * as vscode from 'vscode';
import { CoachError } from '../../protocol/errors.ts';
import type { Suite } from '../../protocol/suites.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Coach } from '../coach.ts';
import { commandId } from '../contributions.ts';
import { showFailure } from '../failures.ts';
import { repositories } from '../repository.ts';
import { suiteIcon } from './icons.ts';
import type { MissingTaskNode, SuiteGroupNode, SuiteNode, TaskGroupNode, TaskNode } from './nodes.ts';

export function suiteGroupItem({ suites }: SuiteGroupNode): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Suites'), vscode.TreeItemCollapsibleState.Expanded);
  item.id = 'group/suites';
  item.description = String(suites.length);
  item.contextValue = 'suiteGroup';
  item.tooltip = vscode.l10n.t('Tasks that are run together. Drag tasks onto a suite to add them.');
  return item;
}

export function suiteItem({ suite }: SuiteNode): vscode.TreeItem {
  const { None, Collapsed } = vscode.TreeItemCollapsibleState;
  const { name, title, description, file, problem, tasks } = suite;
  const item = new vscode.TreeItem(visible(title), tasks.length === 0 ? None : Collapsed);
  item.id = `suite/${suite.repository}/${name}`;
  item.iconPath = suiteIcon(isWhole(suite));
  item.description = [suiteWords(suite), ...placeOf(suite)].join(' · ');
  item.contextValue = isWhole(suite) ? 'suite.whole' : 'suite.broken';
  item.tooltip = [visible(description || title), problem ?? '', file].filter(Boolean).join('\n');
  if (problem !== null) {
    item.command = {
      command: commandId('openSuite'),
      title: vscode.l10n.t('Open Suite File'),
      arguments: [{ kind: 'suite', suite } satisfies SuiteNode],
    };
  }
  return item;
}

export function missingTaskItem({ name, suite }: MissingTaskNode): vscode.TreeItem {
  const item = new vscode.TreeItem(visible(name));
  item.id = `suite/${suite.repository}/${suite.name}/${name}`;
  item.iconPath = suiteIcon(false);
  item.description = vscode.l10n.t('missing');
  item.contextValue = 'missingTask';
  item.tooltip = vscode.l10n.t(
    'The suite names this task, and it is not prepared in this repository. Until it is, the suite can’t be run.',
  );
  return item;
}

/** What a suite holds, in the order of its file. */
export function suiteChildren(
  { suite }: SuiteNode,
  prepared: readonly TaskSummary[],
): readonly (TaskNode | MissingTaskNode)[] {
  const known = new Map(prepared.filter(isIn(suite)).map(task => [task.id, task]));
  return suite.tasks.map(name => {
    const task = known.get(name);
    return task === undefined ? { kind: 'missingTask', name, suite } : { kind: 'task', task, suite };
  });
}

function isIn({ repository }: Suite): (task: TaskSummary) => boolean {
  return task => task.repository === repository && task.state !== 'created';
}

function isWhole({ problem, missing }: Suite): boolean {
  return problem === null && missing.length === 0;
}

function suiteWords({ problem, tasks, missing }: Suite): string {
  if (problem !== null) return vscode.l10n.t('has a problem');
  if (missing.length > 0) return vscode.l10n.t('{0} of {1} missing', missing.length, tasks.length);
  return tasks.length === 1 ? vscode.l10n.t('1 task') : vscode.l10n.t('{0} tasks', tasks.length);
}

function placeOf({ repository }: Suite): string[] {
  return repositories().length > 1 ? [basename(repository)] : [];
}

type Row = SuiteGroupNode | SuiteNode | MissingTaskNode | TaskGroupNode | TaskNode;

const dragged = 'application/vnd.code.tree.codexcoach.tasks';

/** Tasks are dragged into suites: onto a suite or a row in it; onto their group, a new one is made of them. */
export function suiteDrops(coach: Coach): vscode.TreeDragAndDropController<Row> {
  return {
    dragMimeTypes: [dragged],
    dropMimeTypes: [dragged],
    handleDrag(rows, transfer) {
      const tasks = rows.flatMap(row => (row.kind === 'task' ? [row.task] : []));
      if (tasks.length > 0) transfer.set(dragged, new vscode.DataTransferItem(JSON.stringify(tasks)));
    },
    async handleDrop(target, transfer) {
      const text = await transfer.get(dragged)?.asString();
      const tasks = text === undefined ? [] : (JSON.parse(text) as TaskSummary[]);
      if (tasks.length === 0 || target === undefined) return;
      try {
        if (target.kind === 'suiteGroup') {
          const rows = tasks.map((task): TaskNode => ({ kind: 'task', task }));
          await vscode.commands.executeCommand(commandId('createSuite'), undefined, rows);
        } else if ('suite' in target && target.suite !== undefined) await addTasks(coach, target.suite, tasks);
      } catch (error) {
        void showFailure(error, coach.log);
      }
    },
  };
}

/** @throws CoachError `input.invalid` for a task of another repository, and what the server says */
export async function addTasks(coach: Coach, suite: Suite, tasks: readonly TaskSummary[]): Promise<void> {
  const foreign = tasks.find(task => task.repository !== suite.repository);
  if (foreign !== undefined) {
    throw new CoachError(
      'input.invalid',
      vscode.l10n.t('“{0}” is a task of another repository than the suite “{1}”.', foreign.title, suite.title),
      { hint: vscode.l10n.t('Make a suite in that repository.') },
    );
  }
  const { repository, name } = suite;
  await coach.api.suites.add({ repository, suite: name, tasks: tasks.map(({ id }) => id) });
}
