import { basename, sep } from 'node:path';
import * as vscode from 'vscode';
import { toReward } from '../../protocol/figures.ts';
import { proofCaveat, type TaskState, type TaskSummary } from '../../protocol/tasks.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Coach } from '../coach.ts';
import { checkedContextKey, commandId } from '../contributions.ts';
import { repositories } from '../repository.ts';
import { stateUri } from './decorations.ts';
import { taskIcon } from './icons.ts';
import { createList, type List } from './list.ts';
import type { TaskGroupNode, TaskNode } from './nodes.ts';

type Node = TaskGroupNode | TaskNode;

/** Runnable ones first. */
const groups: readonly TaskState[] = ['proven', 'prepared', 'created'];

export interface TasksView extends List<Node> {
  /** Those whose box is ticked, in the order they were ticked. */
  checked(): TaskSummary[];
}

/** Tasks of the open repositories by how far they are, newest first; ticked ones are run together. */
export function createTasksView(coach: Coach): TasksView {
  const checked = new Map<string, TaskSummary>();
  const list = createList<Node>(
    {
      view: 'tasks',
      async roots() {
        const pages = await Promise.all(repositories().map(repository => coach.api.tasks.list({ repository })));
        const rows = pages.flatMap(page => page.rows);
        keepOnly(rows);
        return groups.flatMap(state => {
          const tasks = rows.filter(task => task.state === state);
          return tasks.length === 0 ? [] : [{ kind: 'taskGroup' as const, state, tasks }];
        });
      },
      children: async node =>
        node.kind === 'taskGroup' ? node.tasks.map(task => ({ kind: 'task' as const, task })) : [],
      item: node => (node.kind === 'taskGroup' ? groupItem(node) : taskItem(node.task, checked.has(keyOf(node.task)))),
      watch: stale => [
        coach.api.tasks.on('changed', () => stale()),
        // Tasks are files: edited by hand, a proof may no longer hold.
        vscode.workspace.onDidSaveTextDocument(({ uri }) => {
          if (uri.fsPath.includes(`${sep}.coach${sep}tasks${sep}`)) stale();
        }),
      ],
    },
    coach,
  );

  function showChecked(): void {
    void vscode.commands.executeCommand('setContext', checkedContextKey, checked.size > 0);
    list.tree.description = checked.size === 0 ? '' : vscode.l10n.t('{0} checked', checked.size);
  }

  function keepOnly(rows: readonly TaskSummary[]): void {
    const present = new Map(rows.filter(isRunnable).map(task => [keyOf(task), task]));
    for (const key of [...checked.keys()]) {
      const task = present.get(key);
      if (task === undefined) checked.delete(key);
      else checked.set(key, task);
    }
    showChecked();
  }

  const subscription = list.tree.onDidChangeCheckboxState(({ items }) => {
    for (const [node, state] of items) {
      if (node.kind !== 'task') continue;
      if (state === vscode.TreeItemCheckboxState.Checked) checked.set(keyOf(node.task), node.task);
      else checked.delete(keyOf(node.task));
    }
    showChecked();
  });
  return {
    ...list,
    checked: () => [...checked.values()],
    dispose: () => void vscode.Disposable.from(subscription, list).dispose(),
  };
}

function groupItem({ state, tasks }: TaskGroupNode): vscode.TreeItem {
  const item = new vscode.TreeItem(groupWords(state), vscode.TreeItemCollapsibleState.Expanded);
  item.id = `group/${state}`;
  item.description = String(tasks.length);
  item.contextValue = 'taskGroup';
  item.tooltip = groupMeaning(state);
  return item;
}

function taskItem(task: TaskSummary, isChecked: boolean): vscode.TreeItem {
  const item = new vscode.TreeItem(visible(task.title || task.id));
  item.id = keyOf(task);
  item.iconPath = taskIcon(task.state, task.problem !== null);
  const place = repositories().length > 1 ? [basename(task.repository)] : [];
  const state = task.problem === null ? stateWords(task.state) : vscode.l10n.t('has a problem');
  // The group above says the state already; of a problem it does not.
  item.description = [...(task.problem === null ? task.tags : [state]), ...place].join(' · ');
  item.accessibilityInformation = { label: [item.label, state].join(', ') };
  item.contextValue = `task.${task.problem === null ? task.state : 'broken'}`;
  item.resourceUri = stateUri('task', item.id, task.problem === null ? task.state : 'problem');
  item.tooltip = tooltip(task);
  if (isRunnable(task)) {
    const { Checked, Unchecked } = vscode.TreeItemCheckboxState;
    item.checkboxState = {
      state: isChecked ? Checked : Unchecked,
      tooltip: vscode.l10n.t('Run together with the other checked tasks'),
      accessibilityInformation: { label: vscode.l10n.t('Check {0}', task.title) },
    };
  }
  item.command = {
    command: commandId('openTaskInstruction'),
    title: vscode.l10n.t('Open Task Instruction'),
    arguments: [{ kind: 'task', task } satisfies TaskNode],
  };
  return item;
}

function isRunnable({ state, problem }: TaskSummary): boolean {
  return state !== 'created' && problem === null;
}

function keyOf(task: TaskSummary): string {
  return `${task.repository}/${task.state === 'created' ? 'created' : 'prepared'}/${task.id}`;
}

function groupWords(state: TaskState): string {
  switch (state) {
    case 'created':
      return vscode.l10n.t('Created');
    case 'prepared':
      return vscode.l10n.t('Prepared');
    case 'proven':
      return vscode.l10n.t('Proven');
  }
}

function groupMeaning(state: TaskState): string {
  switch (state) {
    case 'created':
      return vscode.l10n.t('As captured. Preparing seals them and makes them runnable.');
    case 'prepared':
      return vscode.l10n.t('Runnable, but not yet shown to judge rightly. Validating proves them.');
    case 'proven':
      return vscode.l10n.t('Runnable and validated: the reference passes, doing nothing does not.');
  }
}

function stateWords(state: TaskState): string {
  switch (state) {
    case 'created':
      return vscode.l10n.t('created');
    case 'prepared':
      return vscode.l10n.t('prepared');
    case 'proven':
      return vscode.l10n.t('proven');
  }
}

function tooltip({ id, problem, proof, directory, tags }: TaskSummary): string {
  const lines = [id];
  if (problem !== null) lines.push(problem);
  if (proof !== null) {
    const rewards = [toReward(proof.reference), toReward(proof.noOp)];
    lines.push(vscode.l10n.t('Proof: reference {0}, no-op {1} ({2})', ...rewards, proof.executor));
    const caveat = proofCaveat(proof.basis);
    if (caveat !== null) lines.push(caveat);
  }
  if (tags.length > 0) lines.push(tags.join(', '));
  return [...lines, directory].join('\n');
}
