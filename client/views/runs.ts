import * as vscode from 'vscode';
import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import type { Coach } from '../coach.ts';
import { rowsOfAll } from '../repository.ts';
import { createList, type List } from './list.ts';
import type { RunAgentNode, RunNode, TrialNode } from './nodes.ts';
import { agentItem, runItem, trialItem } from './runItems.ts';

type Node = RunNode | RunAgentNode | TrialNode;

/** The row of a run, the same object as long as the run is listed: what is known of it changes in place. */
interface LiveRun {
  readonly kind: 'run';
  run: RunSummary;
  /** Known once its row was opened. */
  trials: readonly TrialSummary[] | undefined;
}

/** Runs of the open repositories, newest first: their agents, and the trials of each. The badge counts the running ones. */
export function createRunsView(coach: Coach): List<Node> {
  const rows = new Map<string, LiveRun>();
  let sameTasks = true;
  const list = createList<Node>(
    {
      view: 'runs',
      async roots() {
        const runs = await rowsOfAll(async repository => {
          const answer = await coach.api.runs.list({ repository });
          // At once: what is told of one while other folders are still asked is newer.
          for (const run of answer.rows) keep(rows, run);
          return answer;
        });
        const listed = runs.map(run => rows.get(run.id) ?? keep(rows, run));
        const ids = new Set(listed.map(({ run }) => run.id));
        for (const id of [...rows.keys()]) if (!ids.has(id)) rows.delete(id);
        sameTasks = allTheSame(listed);
        showBadge();
        return listed;
      },
      async children(node) {
        if (node.kind === 'run') return agentRows(await opened(node.run.id));
        if (node.kind === 'trial') return [];
        return node.trials.map(trial => ({ kind: 'trial', trial, run: node.run }));
      },
      item: node => toItem(node, sameTasks),
      invalidate() {
        for (const row of rows.values()) row.trials = undefined;
      },
      watch: stale => [
        coach.api.runs.on('changed', run => {
          const row = rows.get(run.id);
          if (row !== undefined) row.run = run;
          showBadge();
          stale(row);
        }),
        coach.api.runs.on('trialChanged', trial => {
          const row = rows.get(trial.runId);
          if (row?.trials === undefined) return;
          row.trials = row.trials.map(known => (known.id === trial.id ? trial : known));
          stale(row);
        }),
      ],
    },
    coach,
  );

  async function opened(runId: string): Promise<LiveRun & { trials: readonly TrialSummary[] }> {
    const known = rows.get(runId);
    if (known?.trials !== undefined) return { ...known, trials: known.trials };
    const { run, trials } = await coach.api.runs.show({ runId });
    keep(rows, run).trials = trials;
    return { kind: 'run', run, trials };
  }

  function showBadge(): void {
    const running = [...rows.values()].filter(({ run }) => run.state === 'running').length;
    const tooltip = running === 1 ? vscode.l10n.t('1 run under way') : vscode.l10n.t('{0} runs under way', running);
    list.tree.badge = running === 0 ? undefined : { value: running, tooltip };
  }

  return list;
}

function keep(rows: Map<string, LiveRun>, run: RunSummary): LiveRun {
  const row = rows.get(run.id) ?? { kind: 'run', run, trials: undefined };
  row.run = run;
  rows.set(run.id, row);
  return row;
}

function agentRows({ run, trials }: { run: RunSummary; trials: readonly TrialSummary[] }): RunAgentNode[] {
  const byAgent = Map.groupBy(trials, trial => trial.agentLabel);
  return [...byAgent].map(([label, own]) => ({ kind: 'runAgent', run, label, trials: own }));
}

/** Whether the tasks of all runs are the same, so that their names tell none of them apart. */
function allTheSame(rows: readonly LiveRun[]): boolean {
  return new Set(rows.map(({ run }) => run.tasks.join('\n'))).size < 2;
}

function toItem(node: Node, sameTasks: boolean): vscode.TreeItem {
  switch (node.kind) {
    case 'run':
      return runItem(node.run, sameTasks);
    case 'runAgent':
      return agentItem(node);
    case 'trial':
      return trialItem(node);
  }
}
