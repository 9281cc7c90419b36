import * as vscode from 'vscode';
import { noFigure, toCount, toDuration, toMoney, toReward } from '../../protocol/figures.ts';
import { integritySentence } from '../../protocol/integrity.ts';
import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import { erroredWords, trialWord } from '../../protocol/stateWords.ts';
import { tallyOf, trialState } from '../../protocol/trialState.ts';
import { type Cost, totalTokens } from '../../protocol/usage.ts';
import { commandId } from '../contributions.ts';
import { hintWords } from '../failures.ts';
import { stateUri } from './decorations.ts';
import { runIcon, trialIcon } from './icons.ts';
import { toMoment } from './moment.ts';
import type { RunAgentNode, RunNode, TrialNode } from './nodes.ts';
import { agentNames } from './runTitle.ts';

/** Longest name of a task in a row. */
const nameLength = 16;

/** `sameTasks`: its tasks are those of every run that is listed, so they come last. */
export function runItem(run: RunSummary, sameTasks: boolean): vscode.TreeItem {
  const { Collapsed } = vscode.TreeItemCollapsibleState;
  const { done, total, errored } = run.trialCounts;
  const name = `${toMoment(run.createdAt)} ${tasksOf(run)}`;
  const item = new vscode.TreeItem(sameTasks ? toMoment(run.createdAt) : name, Collapsed);
  item.id = run.id;
  item.iconPath = runIcon(run.state, errored);
  const fault = erroredWords(errored, vscode.l10n);
  const figures = [agentNames(run), money(run.cost), vscode.l10n.t('wall time {0}', elapsed(run))];
  // The icon says that it has finished; where there is little room, the reward is what one looks for, and what it leaves out.
  const reward = vscode.l10n.t('reward {0}', toReward(run.meanReward));
  const brief = run.state === 'finished' ? [fault, reward] : [runWords(run), fault];
  item.description = joined(...brief, ...figures, sameTasks ? tasksOf(run) : null);
  item.accessibilityInformation = { label: `${name}, ${joined(runWords(run), fault, ...figures)}` };
  item.contextValue = `run.${run.state === 'running' ? 'running' : 'ended'}`;
  item.resourceUri = stateUri('run', run.id, run.state === 'finished' && errored > 0 ? 'someErrored' : run.state);
  item.tooltip = [
    `${run.id}, ${new Date(run.createdAt).toLocaleString()}`,
    run.tasks.join(', '),
    run.agents.map(agent => agent.label ?? agent.id).join(', '),
    [vscode.l10n.t('{0} of {1} trials ended', done, total), ...(fault === null ? [] : [fault])].join(', '),
    vscode.l10n.t(
      'Mean reward {0}, {1} tokens, {2}',
      toReward(run.meanReward),
      toCount(totalTokens(run.usage)),
      toMoney(run.cost),
    ),
    vscode.l10n.t('Wall time {0}', elapsed(run)),
    vscode.l10n.t('Executor {0}', run.executor),
    ...run.notIsolated,
  ].join('\n');
  item.command = openCommand({ kind: 'run', run });
  return item;
}

export function agentItem({ run, label, trials }: RunAgentNode): vscode.TreeItem {
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Expanded);
  item.id = `${run.id}/agent/${label}`;
  item.iconPath = new vscode.ThemeIcon('hubot');
  const done = trials.filter(trial => trial.phase === 'done').length;
  const progress = done === trials.length ? null : vscode.l10n.t('{0} of {1}', done, trials.length);
  const rewards = trials.flatMap(({ reward }) => (reward === null ? [] : [reward]));
  const mean = rewards.length === 0 ? null : rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  const { errored } = tallyOf(trials);
  item.description = joined(progress, erroredWords(errored, vscode.l10n), vscode.l10n.t('reward {0}', toReward(mean)));
  item.contextValue = 'runAgent';
  item.tooltip = joined(label, trials[0]?.agentVersion ?? null, trials[0]?.agent.model ?? null);
  return item;
}

export function trialItem(node: TrialNode): vscode.TreeItem {
  const { trial, run } = node;
  const state = trialState(trial);
  const one = run.tasks.length === 1;
  const item = new vscode.TreeItem(
    // The name of the only task would say nothing; that of one of several must not push out which attempt it is.
    one ? vscode.l10n.t('Attempt {0}', trial.attempt) : `#${trial.attempt} ${cutMiddle(trial.task, nameLength)}`,
  );
  item.id = trial.id;
  item.iconPath = trialIcon(state);
  const verdict = [trialWord(trial, vscode.l10n), trial.reward === null ? '' : toReward(trial.reward)].join(' ').trim();
  item.description = joined(verdict, money(trial.cost), agentTime(trial));
  const name = one ? `${trial.agentLabel} #${trial.attempt}` : `${trial.agentLabel}, ${trial.task} #${trial.attempt}`;
  item.accessibilityInformation = { label: `${name}, ${item.description}` };
  item.contextValue = trial.diff === null || trial.diff.files === 0 ? 'trial' : 'trial.diff';
  item.resourceUri = stateUri('trial', trial.id, state);
  item.tooltip = [
    `${trial.task}, ${trial.agentLabel}, ${vscode.l10n.t('attempt {0}', trial.attempt)}`,
    ...(trial.error === null ? [] : [trial.error.message, hintWords(trial.error.hint ?? '')]),
    ...(trial.flags ?? []).map(flag => integritySentence(flag.kind, vscode.l10n)),
    trial.directory,
  ]
    .filter(Boolean)
    .join('\n');
  item.command = openCommand(node);
  return item;
}

/** Short, so that the figures after it can be seen; the tooltip has the names. */
function tasksOf({ tasks: [first = '', ...others] }: RunSummary): string {
  return others.length === 0 ? cutMiddle(first, nameLength) : vscode.l10n.t('{0} tasks', others.length + 1);
}

/** The ends of a name tell it apart from others better than its beginning alone. */
function cutMiddle(name: string, length: number): string {
  if (name.length <= length) return name;
  const tail = Math.floor(length / 3);
  return `${name.slice(0, length - tail - 1)}…${name.slice(-tail)}`;
}

function openCommand(node: RunNode | TrialNode): vscode.Command {
  return { command: commandId('openRun'), title: vscode.l10n.t('Open Run'), arguments: [node] };
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

function agentTime({ agentMs }: TrialSummary): string | null {
  return agentMs === null ? null : vscode.l10n.t('agent time {0}', toDuration(agentMs));
}

/** Wall time: so far, while it is under way. */
function elapsed({ createdAt, finishedAt }: RunSummary): string {
  const end = finishedAt === null ? Date.now() : Date.parse(finishedAt);
  return toDuration(end - Date.parse(createdAt));
}

/** What was not paid for is left out: a dash between other figures says nothing. */
function money(cost: Cost): string | null {
  const words = toMoney(cost);
  return words === noFigure ? null : words;
}

function joined(...parts: readonly (string | null)[]): string {
  return parts.filter(Boolean).join(' · ');
}
