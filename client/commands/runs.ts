import * as vscode from 'vscode';
import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import type { Coach } from '../coach.ts';
import type { RunPanels } from '../panels/runPanels.ts';
import { reviewDiff } from '../review/diff.ts';
import type { RunNode, SessionNode, TaskNode, TrialNode } from '../views/nodes.ts';
import { type CommandHandlers, rowsOf } from './handler.ts';
import { pickChangedTrial, pickRun, pickSession } from './picks.ts';
import { confirmCancel, openReport, openSession } from './runActions.ts';
import { askAndStartRun } from './startRun.ts';

type Names = 'startRun' | 'openRun' | 'repeatRun' | 'cancelRun' | 'openReport' | 'reviewDiff' | 'openSession';

/** Starting runs, following them and looking at what came out. */
export function runCommands(coach: Coach, panels: RunPanels): CommandHandlers<Names> {
  return {
    async startRun(target, selection) {
      const chosen = rowsOf<TaskNode>('task', target, selection).map(node => node.task);
      const run = await askAndStartRun(coach, chosen);
      if (run !== undefined) panels.open(run);
    },
    async openRun(target) {
      const [row] = rowsOf<TrialNode>('trial', target);
      if (row !== undefined) return panels.open(row.run, row.trial.id);
      const run = runOf(target) ?? (await pickRun(coach, vscode.l10n.t('Open Run')));
      if (run !== undefined) panels.open(run);
    },
    async repeatRun(target) {
      const run = runOf(target) ?? (await pickRun(coach, vscode.l10n.t('Run Again')));
      if (run !== undefined) await repeatRun(coach, panels, run);
    },
    async cancelRun(target) {
      const running = (candidate: RunSummary) => candidate.state === 'running';
      const run = runOf(target) ?? (await pickRun(coach, vscode.l10n.t('Cancel Run'), running));
      if (run !== undefined) await confirmCancel(coach, run.id);
    },
    async openReport(target) {
      const run = runOf(target) ?? (await pickRun(coach, vscode.l10n.t('Open Run Report')));
      if (run !== undefined) await openReport(coach, run.id);
    },
    async reviewDiff(target) {
      const trial = trialOf(target) ?? (await pickChangedTrial(coach, vscode.l10n.t('Review Diff')));
      if (trial !== undefined) await reviewDiff(coach, trial);
    },
    async openSession(target) {
      const session =
        rowsOf<SessionNode>('session', target)[0]?.session ?? (await pickSession(coach, vscode.l10n.t('Open Session')));
      if (session !== undefined) await openSession(session.id, session.title);
    },
  };
}

async function repeatRun(coach: Coach, panels: RunPanels, run: RunSummary): Promise<void> {
  const start = vscode.l10n.t('Start Run');
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t('Run {0} trials again?', run.trialCounts.total),
    {
      modal: true,
      detail: vscode.l10n.t('The same tasks, agents, attempts and limits, in the {0} executor.', run.executor),
    },
    start,
  );
  if (chosen !== start) return;
  const { repository, tasks, agents, attempts, limits, executor } = run;
  const proven = await provenTasks(coach, repository);
  const again = await coach.api.runs.start({
    repository,
    tasks,
    agents,
    attempts,
    limits,
    executor,
    fresh: true,
    unproven: !tasks.every(task => proven.has(task)),
  });
  panels.open(again);
}

async function provenTasks(coach: Coach, repository: string): Promise<ReadonlySet<string>> {
  const { rows } = await coach.api.tasks.list({ repository });
  return new Set(rows.filter(task => task.state === 'proven').map(task => task.id));
}

function runOf(target: unknown): RunSummary | undefined {
  return rowsOf<RunNode>('run', target)[0]?.run;
}

function trialOf(target: unknown): TrialSummary | undefined {
  return rowsOf<TrialNode>('trial', target)[0]?.trial;
}
