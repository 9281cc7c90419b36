import { basename, sep } from 'node:path';
import * as vscode from 'vscode';
import { toReward } from '../../protocol/figures.ts';
import type { Suite } from '../../protocol/suites.ts';
import { proofCaveat, type TaskState, type TaskSummary } from '../../protocol/tasks.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { BusyTasks } from '../busyTasks.ts';
import type { Coach } from '../coach.ts';
import { checkedContextKey, commandId } from '../contributions.ts';
import { repositories, rowsOfAll } from '../repository.ts';
import { stateUri } from './decorations.ts';
import { busyIcon, taskIcon } from './icons.ts';
import { createList, type List } from './list.ts';
import type { MissingTaskNode, SuiteGroupNode, SuiteNode, TaskGroupNode, TaskNode } from './nodes.ts';
import { missingTaskItem, suiteChildren, suiteDrops, suiteGroupItem, suiteItem } from './suites.ts';

type Node = TaskGroupNode | TaskNode | SuiteGroupNode | SuiteNode | MissingTaskNode;

/** Runnable ones first. */
const groups: readonly TaskState[] = ['proven', 'prepared', 'created'];

export interface TasksView extends List<Node> {
  /** Those whose box is ticked, in the order they were ticked. */
  checked(): TaskSummary[];
}

/** Files that change outside of the editor, as far as it watches them. */
function followFiles(changed: () => void): vscode.Disposable {
  const watcher = vscode.workspace.createFileSystemWatcher('**/.coach/{tasks,suites}/**');
  return vscode.Disposable.from(
    watcher,
    watcher.onDidCreate(changed),
    watcher.onDidChange(changed),
    watcher.onDidDelete(changed),
  );
}

/** Suites and tasks of the open repositories, by how far they are, newest first; ticked ones are run together. */
export function createTasksView(coach: Coach, busy: BusyTasks): TasksView {
  const checked = new Map<string, TaskSummary>();
  let rows: readonly TaskSummary[] = [];
  const list = createList<Node>(
    {
      view: 'tasks',
      async roots() {
        const [tasks, suites] = await Promise.all([
          rowsOfAll(repository => coach.api.tasks.list({ repository })),
          rowsOfAll(repository => coach.api.suites.list({ repository })),
        ]);
        rows = tasks;
        keepOnly(rows);
        return grouped(rows, suites);
      },
      children: async node => childrenOf(node, rows),
      item: node =>
        shownBusy(
          itemOf(node, task => checked.has(keyOf(task))),
          node,
          busy,
        ),
      drops: suiteDrops(coach),
      watch: stale => [
        coach.api.tasks.on('changed', () => stale()),
        coach.api.suites.on('changed', () => stale()),
        busy.onDidChange(() => stale()),
        // Tasks and suites are files: edited by hand, or by git, a proof may no longer hold.
        followFiles(() => stale()),
        vscode.workspace.onDidSaveTextDocument(({ uri: { fsPath } }) => {
          if (['tasks', 'suites'].some(place => fsPath.includes(`${sep}.coach${sep}${place}${sep}`))) stale();
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

function grouped(rows: readonly TaskSummary[], suites: readonly Suite[]): Node[] {
  const byState = groups.flatMap(state => {
    const tasks = rows.filter(task => task.state === state);
    return tasks.length === 0 ? [] : [{ kind: 'taskGroup' as const, state, tasks }];
  });
  return suites.length === 0 ? byState : [{ kind: 'suiteGroup', suites }, ...byState];
}

function childrenOf(node: Node, rows: readonly TaskSummary[]): Node[] {
  switch (node.kind) {
    case 'taskGroup':
      return node.tasks.map(task => ({ kind: 'task', task }));
    case 'suiteGroup':
      return node.suites.map(suite => ({ kind: 'suite', suite }));
    case 'suite':
      return [...suiteChildren(node, rows)];
    case 'task':
    case 'missingTask':
      return [];
  }
}

function itemOf(node: Node, isChecked: (task: TaskSummary) => boolean): vscode.TreeItem {
  switch (node.kind) {
    case 'taskGroup':
      return groupItem(node);
    case 'suiteGroup':
      return suiteGroupItem(node);
    case 'suite':
      return suiteItem(node);
    case 'missingTask':
      return missingTaskItem(node);
    case 'task':
      return node.suite === undefined ? taskItem(node, isChecked(node.task)) : taskInSuite(node, node.suite);
  }
}

function groupItem({ state, tasks }: TaskGroupNode): vscode.TreeItem {
  const item = new vscode.TreeItem(groupWords(state), vscode.TreeItemCollapsibleState.Expanded);
  item.id = `group/${state}`;
  item.description = String(tasks.length);
  item.contextValue = 'taskGroup';
  item.tooltip = groupMeaning(state);
  return item;
}

/** The same task as in its group; there it is checked, here it is taken out. */
function taskInSuite(node: TaskNode, suite: Suite): vscode.TreeItem {
  const item = rowOf(node);
  item.id = `suite/${suite.repository}/${suite.name}/${node.task.id}`;
  item.description = [wordsOf(node.task), ...node.task.tags].join(' · ');
  item.contextValue = `${item.contextValue}.suite`;
  return item;
}

function taskItem(node: TaskNode, isChecked: boolean): vscode.TreeItem {
  const { task } = node;
  const item = rowOf(node);
  if (isRunnable(task)) {
    const { Checked, Unchecked } = vscode.TreeItemCheckboxState;
    item.checkboxState = {
      state: isChecked ? Checked : Unchecked,
      tooltip: vscode.l10n.t('Run together with the other checked tasks'),
      accessibilityInformation: { label: vscode.l10n.t('Check {0}', task.title) },
    };
  }
  return item;
}

function rowOf(node: TaskNode): vscode.TreeItem {
  const { task } = node;
  const item = new vscode.TreeItem(visible(task.title || task.id));
  item.id = keyOf(task);
  item.iconPath = taskIcon(task.state, task.problem !== null);
  const place = repositories().length > 1 ? [basename(task.repository)] : [];
  const state = wordsOf(task);
  // The group above says the state already; of a problem it does not.
  item.description = [...(task.problem === null ? task.tags : [state]), ...place].join(' · ');
  item.accessibilityInformation = { label: [item.label, state].join(', ') };
  item.contextValue = `task.${task.problem === null ? task.state : 'broken'}`;
  item.resourceUri = stateUri('task', item.id, task.problem === null ? task.state : 'problem');
  item.tooltip = tooltip(task);
  item.command = {
    command: commandId('openTaskInstruction'),
    title: vscode.l10n.t('Open Task Instruction'),
    arguments: [node],
  };
  return item;
}

function wordsOf({ state, problem }: TaskSummary): string {
  return problem === null ? stateWords(state) : vscode.l10n.t('has a problem');
}

/** The row of a task that is being worked on says so instead of how far it is, and offers no other work on it. */
function shownBusy(item: vscode.TreeItem, node: Node, busy: BusyTasks): vscode.TreeItem {
  const work = node.kind === 'task' ? busy.of(node.task) : undefined;
  if (work === undefined) return item;
  const words = work === 'preparing' ? vscode.l10n.t('preparing…') : vscode.l10n.t('validating…');
  item.iconPath = busyIcon;
  item.description = words;
  item.contextValue = item.contextValue?.replace(/^task\.\w+/, 'task.busy') ?? '';
  item.accessibilityInformation = { label: [item.label, words].join(', ') };
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
    const caveat = proofCaveat(proof.basis, vscode.l10n);
    if (caveat !== null) lines.push(caveat);
  }
  if (tags.length > 0) lines.push(tags.join(', '));
  return [...lines, directory].join('\n');
}
