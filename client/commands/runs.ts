import * as vscode from 'vscode';
import type { RunSummary } from '../../protocol/runs.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';
import type { Coach } from '../coach.ts';
import { chosenJudge } from '../judge.ts';
import { showInformation } from '../messages.ts';
import type { RunPanels } from '../panels/runPanels.ts';
import type { RunNode, TaskNode, TrialNode } from '../views/nodes.ts';
import { type CommandHandlers, rowsOf } from './handler.ts';
import { pickRun } from './picks.ts';
import { confirmCancel, openReport } from './runActions.ts';
import { askAndStartRun } from './startRun.ts';

type Names = 'startRun' | 'runChecked' | 'openRun' | 'repeatRun' | 'cancelRun' | 'openReport';

/** Starting runs, following them and looking at what came out. */
export function runCommands(coach: Coach, panels: RunPanels, checked: () => TaskSummary[]): CommandHandlers<Names> {
  /** The row's run, else the one whose page is in front, else the one that is chosen of all. */
  const runMeant = async (target: unknown, title: string, usable: (run: RunSummary) => boolean = () => true) => {
    const row = runOf(target);
    if (row !== undefined) return row;
    const runId = panels.inFront();
    const shown = runId === undefined ? undefined : (await coach.api.runs.show({ runId })).run;
    return shown !== undefined && usable(shown) ? shown : pickRun(coach, title, usable);
  };
  return {
    async startRun(target, selection) {
      const chosen = rowsOf<TaskNode>('task', target, selection).map(node => node.task);
      const run = await askAndStartRun(coach, chosen);
      if (run !== undefined) panels.open(run);
    },
    async runChecked() {
      const run = await askAndStartRun(coach, checked());
      if (run !== undefined) panels.open(run);
    },
    async openRun(target) {
      const [row] = rowsOf<TrialNode>('trial', target);
      if (row !== undefined) return panels.open(row.run, row.trial.id);
      const run = runOf(target) ?? (await pickRun(coach, vscode.l10n.t('Open Run')));
      if (run !== undefined) panels.open(run);
    },
    async repeatRun(target) {
      const run = await runMeant(target, vscode.l10n.t('Run Again'));
      if (run !== undefined) await repeatRun(coach, panels, run);
    },
    async cancelRun(target) {
      const running = (candidate: RunSummary) => candidate.state === 'running';
      const run = await runMeant(target, vscode.l10n.t('Cancel Run'), running);
      if (run !== undefined) await confirmCancel(coach, run.id);
    },
    async openReport(target) {
      const run = await runMeant(target, vscode.l10n.t('Open Run Report'));
      if (run !== undefined) await openReport(coach, run.id);
    },
  };
}

async function repeatRun(coach: Coach, panels: RunPanels, run: RunSummary): Promise<void> {
  const start = vscode.l10n.t('Start Run');
  const chosen = await showInformation(
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
  const unproven = !tasks.every(task => proven.has(task));
  const again = await coach.keys.with(keys =>
    coach.api.runs.start({
      repository,
      tasks,
      agents,
      attempts,
      limits,
      executor,
      fresh: true,
      unproven,
      ...chosenJudge(),
      keys,
    }),
  );
  panels.open(again);
}

async function provenTasks(coach: Coach, repository: string): Promise<ReadonlySet<string>> {
  const { rows } = await coach.api.tasks.list({ repository });
  return new Set(rows.filter(task => task.state === 'proven').map(task => task.id));
}

function runOf(target: unknown): RunSummary | undefined {
  return rowsOf<RunNode>('run', target)[0]?.run;
}
