import * as vscode from 'vscode';
import { toReward } from '../../protocol/figures.ts';
import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import type { SessionSummary } from '../../protocol/sessions.ts';
import { runStateWord, trialStateWord } from '../../protocol/stateWords.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';
import { trialState } from '../../protocol/trialState.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Coach } from '../coach.ts';
import { pickRepository, rowsOfAll } from '../repository.ts';

/** What a person chooses from when a command starts without a row. Undefined: dismissed, or nothing to choose. */

export async function pickTask(
  coach: Coach,
  title: string,
  usable: (task: TaskSummary) => boolean = () => true,
): Promise<TaskSummary | undefined> {
  const repository = await pickRepository();
  if (repository === undefined) return undefined;
  const { rows } = await coach.api.tasks.list({ repository });
  return pick(title, rows.filter(usable), vscode.l10n.t('There is no such task yet.'), task => ({
    label: visible(task.title || task.id),
    description: task.state,
    detail: task.problem ?? task.id,
  }));
}

export async function pickRun(
  coach: Coach,
  title: string,
  usable: (run: RunSummary) => boolean = () => true,
): Promise<RunSummary | undefined> {
  const runs = await rowsOfAll(repository => coach.api.runs.list({ repository }));
  return pick(title, runs.filter(usable), vscode.l10n.t('There is no such run.'), runWords);
}

function runWords(run: RunSummary): vscode.QuickPickItem {
  return {
    label: run.tasks.join(', '),
    description: `${runStateWord(run.state, vscode.l10n).toLowerCase()}, ${run.agents.map(agent => agent.label ?? agent.id).join(', ')}`,
    detail: `${run.id}, ${new Date(run.createdAt).toLocaleString()}`,
  };
}

/** Runs that have ended, those of `ticked` at first; undefined when dismissed or when there is none. */
export async function pickRuns(
  coach: Coach,
  title: string,
  ticked: readonly string[],
): Promise<RunSummary[] | undefined> {
  const runs = await rowsOfAll(repository => coach.api.runs.list({ repository }));
  const items = runs
    .filter(run => run.state !== 'running')
    .map(run => ({ ...runWords(run), picked: ticked.includes(run.id), run }));
  if (items.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('No run has ended yet.'));
    return undefined;
  }
  const chosen = await pickSome(items, { title, matchOnDescription: true, matchOnDetail: true });
  return chosen?.map(item => item.run);
}

/** One or more of the items. Asks again after OK with nothing ticked, which would otherwise look as if it had begun. */
export async function pickSome<Item extends vscode.QuickPickItem>(
  items: readonly Item[],
  options: vscode.QuickPickOptions,
): Promise<Item[] | undefined> {
  const nothing = vscode.l10n.t('Nothing is ticked: tick at least one, or leave with Escape.');
  let picked = await vscode.window.showQuickPick(items, { ...options, canPickMany: true });
  while (picked?.length === 0) {
    picked = await vscode.window.showQuickPick(items, { ...options, canPickMany: true, placeHolder: nothing });
  }
  return picked;
}

/** Only trials whose agent changed something. */
export async function pickChangedTrial(coach: Coach, title: string): Promise<TrialSummary | undefined> {
  const run = await pickRun(coach, title);
  if (run === undefined) return undefined;
  const { trials } = await coach.api.runs.show({ runId: run.id });
  const changed = trials.filter(trial => (trial.diff?.files ?? 0) > 0);
  return pick(title, changed, vscode.l10n.t('No trial of this run changed a file.'), trial => ({
    label: `${trial.task}, ${trial.agentLabel} #${trial.attempt}`,
    description: `${trialStateWord(trialState(trial), vscode.l10n)} ${toReward(trial.reward)}`,
  }));
}

/** Another trial of the same run and task that has ended. */
export async function pickOtherTrial(
  coach: Coach,
  title: string,
  trial: TrialSummary,
): Promise<TrialSummary | undefined> {
  const { trials } = await coach.api.runs.show({ runId: trial.runId });
  const others = trials.filter(other => other.id !== trial.id && other.task === trial.task && other.phase === 'done');
  return pick(title, others, vscode.l10n.t('This run has no other trial of the task.'), other => ({
    label: `${other.agentLabel} #${other.attempt}`,
    description: `${trialStateWord(trialState(other), vscode.l10n)} ${toReward(other.reward)}`,
  }));
}

export async function pickSession(coach: Coach, title: string): Promise<SessionSummary | undefined> {
  const { rows } = await coach.api.sessions.list({ limit: 100 });
  return pick(title, rows, vscode.l10n.t('No session is recorded yet.'), session => ({
    label: visible(session.title || session.id),
    description: [session.agent, ...session.models].filter(Boolean).join(', '),
    detail: new Date(session.startedAt).toLocaleString(),
  }));
}

async function pick<T>(
  title: string,
  values: readonly T[],
  none: string,
  words: (value: T) => vscode.QuickPickItem,
): Promise<T | undefined> {
  if (values.length === 0) {
    void vscode.window.showInformationMessage(none);
    return undefined;
  }
  const items = values.map(value => ({ ...words(value), value }));
  const chosen = await vscode.window.showQuickPick(items, { title, matchOnDescription: true, matchOnDetail: true });
  return chosen?.value;
}
