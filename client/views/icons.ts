import * as vscode from 'vscode';
import type { RunState } from '../../protocol/runs.ts';
import type { TaskState } from '../../protocol/tasks.ts';
import type { TrialState } from '../../protocol/trialState.ts';

type Look = readonly [icon: string, color?: string];

const trialLooks: Readonly<Record<TrialState, Look>> = {
  queued: ['circle-outline', 'disabledForeground'],
  building: ['package', 'charts.blue'],
  agent: ['sync~spin', 'charts.blue'],
  verifying: ['beaker', 'charts.blue'],
  passed: ['pass', 'charts.green'],
  partial: ['circle-large-filled', 'charts.yellow'],
  failed: ['error', 'charts.red'],
  agentFailed: ['error', 'charts.red'],
  timedOut: ['watch', 'charts.red'],
  budgetSpent: ['credit-card', 'charts.red'],
  diskSpent: ['database', 'charts.red'],
  stalled: ['debug-pause', 'charts.red'],
  cancelled: ['circle-slash', 'disabledForeground'],
  lost: ['question', 'problemsWarningIcon.foreground'],
  errored: ['warning', 'problemsWarningIcon.foreground'],
};

const runLooks: Readonly<Record<RunState, Look>> = {
  running: ['sync~spin', 'charts.blue'],
  finished: ['pass', 'charts.green'],
  cancelled: ['circle-slash', 'disabledForeground'],
  interrupted: ['question', 'problemsWarningIcon.foreground'],
};

const taskLooks: Readonly<Record<TaskState, Look>> = {
  created: ['circle-outline', 'charts.blue'],
  prepared: ['package', 'charts.blue'],
  proven: ['verified-filled', 'charts.green'],
};

export const trialIcon = (state: TrialState): vscode.ThemeIcon => toIcon(trialLooks[state]);
/** A run that has finished with trials that the machine failed does not look like one that is whole. */
export const runIcon = (state: RunState, errored: number): vscode.ThemeIcon =>
  toIcon(state === 'finished' && errored > 0 ? trialLooks.errored : runLooks[state]);
export const taskIcon = (state: TaskState, problem: boolean): vscode.ThemeIcon =>
  toIcon(problem ? ['warning', 'problemsWarningIcon.foreground'] : taskLooks[state]);

export const busyIcon: vscode.ThemeIcon = toIcon(runLooks.running);

export const suiteIcon = (whole: boolean): vscode.ThemeIcon =>
  toIcon(whole ? ['library'] : ['warning', 'problemsWarningIcon.foreground']);

function toIcon([icon, color]: Look): vscode.ThemeIcon {
  return color === undefined ? new vscode.ThemeIcon(icon) : new vscode.ThemeIcon(icon, new vscode.ThemeColor(color));
}
