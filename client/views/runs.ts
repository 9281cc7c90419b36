import * as vscode from 'vscode';
import { toCount, toDuration, toMoney, toReward } from '../../protocol/figures.ts';
import type { RunSummary } from '../../protocol/runs.ts';
import { trialState, trialStateWords } from '../../protocol/trialState.ts';
import { totalTokens } from '../../protocol/usage.ts';
import type { Coach } from '../coach.ts';
import { commandId } from '../contributions.ts';
import { repositories } from '../repository.ts';
import { runIcon, trialIcon } from './icons.ts';
import { createList, type List } from './list.ts';
import { toMoment } from './moment.ts';
import type { RunNode, TrialNode } from './nodes.ts';

/** Runs of the open repositories, newest first, with their trials. The badge counts the running ones. */
export function createRunsView(coach: Coach): List<RunNode | TrialNode> {
  const list = createList<RunNode | TrialNode>(
    {
      view: 'runs',
      async roots() {
        const pages = await Promise.all(repositories().map(repository => coach.api.runs.list({ repository })));
        const rows = pages.flatMap(page => page.rows);
        showBadge(rows.filter(run => run.state === 'running').length);
        return rows.map(run => ({ kind: 'run', run }));
      },
      async children(node) {
        if (node.kind === 'trial') return [];
        const { run, trials } = await coach.api.runs.show({ runId: node.run.id });
        return trials.map(trial => ({ kind: 'trial', trial, run }));
      },
      item: node => (node.kind === 'run' ? runItem(node.run) : trialItem(node)),
      watch: stale => [coach.api.runs.on('changed', stale), coach.api.runs.on('trialChanged', stale)],
    },
    coach,
  );

  function showBadge(running: number): void {
    const tooltip = vscode.l10n.t('{0} runs under way', running);
    list.tree.badge = running === 0 ? undefined : { value: running, tooltip };
  }

  return list;
}

function runItem(run: RunSummary): vscode.TreeItem {
  const item = new vscode.TreeItem(
    `${toMoment(run.createdAt)} ${run.tasks.join(', ')}`,
    vscode.TreeItemCollapsibleState.Collapsed,
  );
  item.id = run.id;
  item.iconPath = runIcon(run.state);
  item.description = `${runWords(run)} · ${run.agents.map(agent => agent.label ?? agent.id).join(', ')}`;
  item.contextValue = `run.${run.state === 'running' ? 'running' : 'ended'}`;
  item.tooltip = [
    `${run.id}, ${new Date(run.createdAt).toLocaleString()}`,
    vscode.l10n.t(
      '{0} of {1} trials done, {2} errored',
      run.trialCounts.done,
      run.trialCounts.total,
      run.trialCounts.errored,
    ),
    vscode.l10n.t(
      'Mean reward {0}, {1} tokens, {2}',
      toReward(run.meanReward),
      toCount(totalTokens(run.usage)),
      toMoney(run.cost),
    ),
    vscode.l10n.t('Executor {0}', run.executor),
    ...run.notIsolated,
  ].join('\n');
  item.command = {
    command: commandId('openRun'),
    title: vscode.l10n.t('Open Run'),
    arguments: [{ kind: 'run', run } satisfies RunNode],
  };
  return item;
}

function runWords({ state, trialCounts, meanReward }: RunSummary): string {
  switch (state) {
    case 'running':
      return vscode.l10n.t('running, {0} of {1}', trialCounts.done, trialCounts.total);
    case 'finished':
      return vscode.l10n.t('finished, reward {0}', toReward(meanReward));
    case 'cancelled':
      return vscode.l10n.t('cancelled');
    case 'interrupted':
      return vscode.l10n.t('interrupted');
  }
}

function trialItem(node: TrialNode): vscode.TreeItem {
  const { trial, run } = node;
  const state = trialState(trial);
  const item = new vscode.TreeItem(`${trial.agentLabel} #${trial.attempt}`);
  item.id = trial.id;
  item.iconPath = trialIcon(state);
  const figures = [trialStateWords[state]];
  if (trial.reward !== null) figures.push(toReward(trial.reward));
  if (trial.agentMs !== null) figures.push(toDuration(trial.agentMs));
  // The name of the only task would say nothing.
  item.description = run.tasks.length === 1 ? figures.join(' ') : `${figures.join(' ')} · ${trial.task}`;
  item.contextValue = trial.diff === null || trial.diff.files === 0 ? 'trial' : 'trial.diff';
  item.tooltip = [
    `${trial.task}, ${trial.agentLabel}, ${vscode.l10n.t('attempt {0}', trial.attempt)}`,
    ...(trial.error === null ? [] : [trial.error.message, trial.error.hint ?? '']),
    trial.directory,
  ].join('\n');
  item.command = {
    command: commandId('openRun'),
    title: vscode.l10n.t('Open Run'),
    arguments: [node],
  };
  return item;
}
