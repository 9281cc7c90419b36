import * as vscode from 'vscode';
import { toReward } from '../../protocol/figures.ts';
import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import type { SessionSummary } from '../../protocol/sessions.ts';
import { runStateWord, trialStateWord } from '../../protocol/stateWords.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';
import { trialState } from '../../protocol/trialState.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Coach } from '../coach.ts';
import { showInformation } from '../messages.ts';
import { offerNext } from '../nextStep.ts';
import { pickStart, rowsOfAll } from '../repository.ts';

/** What a person chooses from when a command starts without a row. Undefined: dismissed, or nothing to choose. */

export async function pickTask(
  coach: Coach,
  title: string,
  wanted: WantedTask = 'any',
): Promise<TaskSummary | undefined> {
  const rows = await tasksToPick(coach, wanted);
  return (
    rows &&
    choose(title, rows, task => ({
      label: visible(task.title || task.id),
      description: task.state,
      detail: task.problem ?? task.id,
    }))
  );
}

type WantedTask = 'any' | 'created' | 'prepared' | 'runnable';

/** The tasks to choose from. Undefined where there is none: that is said, with what leads to one. */
export async function tasksToPick(
  coach: Coach,
  wanted: WantedTask,
  place?: string,
): Promise<TaskSummary[] | undefined> {
  const repository = place ?? (await pickStart(coach));
  if (repository === undefined) return undefined;
  const { rows } = await coach.api.tasks.list({ repository });
  const found = rows.filter(task => isWanted(task, wanted));
  if (found.length > 0) return found;
  if (rows.length === 0) void offerNext('information', vscode.l10n.t('There is no task yet.'), firstTask);
  else if (wanted === 'created') {
    void offerNext('information', vscode.l10n.t('All tasks are prepared already.'), ['validateTask']);
  } else if (rows.some(task => task.state === 'created')) {
    void offerNext('information', vscode.l10n.t('No task is prepared yet.'), ['prepareTask']);
  } else void offerNext('warning', vscode.l10n.t('All tasks have a problem.'), ['validateTask', 'editTask']);
  return undefined;
}

const firstTask = ['startRecording', 'taskFromCommit'] as const;

function isWanted({ state, problem }: TaskSummary, wanted: WantedTask): boolean {
  switch (wanted) {
    case 'any':
      return true;
    case 'created':
      return state === 'created';
    case 'prepared':
      return state !== 'created';
    case 'runnable':
      return state !== 'created' && problem === null;
  }
}

/** Says that there is no run, and offers what is next on the way to one. */
async function offerFirstRun(coach: Coach): Promise<void> {
  const tasks = await rowsOfAll(repository => coach.api.tasks.list({ repository }));
  const none = vscode.l10n.t('There is no run yet.');
  const isRunnable = tasks.some(task => isWanted(task, 'runnable'));
  const first = tasks.length > 0 ? (['prepareTask'] as const) : firstTask;
  void offerNext('information', none, isRunnable ? ['startRun'] : first);
}

export async function pickRun(
  coach: Coach,
  title: string,
  usable: (run: RunSummary) => boolean = () => true,
): Promise<RunSummary | undefined> {
  const runs = await rowsOfAll(repository => coach.api.runs.list({ repository }));
  if (runs.length === 0) return void (await offerFirstRun(coach));
  return pick(title, runs.filter(usable), vscode.l10n.t('No run is under way.'), runWords);
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
  if (runs.length === 0) return void (await offerFirstRun(coach));
  const items = runs
    .filter(run => run.state !== 'running')
    .map(run => ({ ...runWords(run), picked: ticked.includes(run.id), run }));
  if (items.length === 0) {
    void showInformation(vscode.l10n.t('No run has ended yet.'));
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
    void showInformation(none);
    return undefined;
  }
  return choose(title, values, words);
}

async function choose<T>(
  title: string,
  values: readonly T[],
  words: (value: T) => vscode.QuickPickItem,
): Promise<T | undefined> {
  const items = values.map(value => ({ ...words(value), value }));
  const chosen = await vscode.window.showQuickPick(items, { title, matchOnDescription: true, matchOnDetail: true });
  return chosen?.value;
}
