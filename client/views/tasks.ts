import * as vscode from 'vscode';
import { toReward } from '../../protocol/figures.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';
import type { Coach } from '../coach.ts';
import { commandId } from '../contributions.ts';
import { repositories } from '../repository.ts';
import { taskIcon } from './icons.ts';
import { createList, type List } from './list.ts';
import type { TaskNode } from './nodes.ts';

/** Tasks of the open repositories, newest first; several can be selected and run together. */
export function createTasksView(coach: Coach): List<TaskNode> {
  return createList<TaskNode>(
    {
      view: 'tasks',
      async roots() {
        const pages = await Promise.all(repositories().map(repository => coach.api.tasks.list({ repository })));
        return pages.flatMap(({ rows }) => rows.map(task => ({ kind: 'task' as const, task })));
      },
      item: ({ task }) => taskItem(task),
      watch: stale => [coach.api.tasks.on('changed', stale)],
    },
    coach,
  );
}

function taskItem(task: TaskSummary): vscode.TreeItem {
  const item = new vscode.TreeItem(task.title || task.id);
  item.id = `${task.repository}/${task.state === 'created' ? 'created' : 'prepared'}/${task.id}`;
  item.iconPath = taskIcon(task.state, task.problem !== null);
  item.description = task.problem === null ? stateWords(task) : vscode.l10n.t('has a problem');
  item.contextValue = `task.${task.problem === null ? task.state : 'broken'}`;
  item.tooltip = tooltip(task);
  item.command = {
    command: commandId('openTaskInstruction'),
    title: vscode.l10n.t('Open Task Instruction'),
    arguments: [{ kind: 'task', task } satisfies TaskNode],
  };
  return item;
}

function stateWords(task: TaskSummary): string {
  switch (task.state) {
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
  }
  if (tags.length > 0) lines.push(tags.join(', '));
  return [...lines, directory].join('\n');
}
