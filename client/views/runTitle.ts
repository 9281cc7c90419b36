import * as vscode from 'vscode';
import type { RunSummary } from '../../protocol/runs.ts';
import { toMoment } from './moment.ts';

/** As many agents are named; of the others there is the number. */
const namedAgents = 2;
/** As many runs of a comparison are named. */
const namedRuns = 2;

type Named = Pick<RunSummary, 'createdAt' | 'agents'>;

/** What the tab of a run is called: runs of the same task differ in when they began, to the second, and mostly in their agents. */
export function runTitle(run: Named, now: Date = new Date()): string {
  return vscode.l10n.t('Run {0} {1}', toSecond(run, now), agentNames(run));
}

/** What the tab of a run's report is called, after the run's own. */
export function reportTitle(run: Named, now: Date = new Date()): string {
  return vscode.l10n.t('Report {0} {1}', toSecond(run, now), agentNames(run));
}

/** What the tab of a comparison is called: `Compare 05:41:25, 05:43:02 codex, oracle`, with every agent once. */
export function comparisonTitle(runs: readonly Named[], now: Date = new Date()): string {
  const moments = shortened(
    runs.map(run => toSecond(run, now)),
    namedRuns,
  );
  const agents = runs.flatMap(run => run.agents);
  const names = [...new Map(agents.map(agent => [agent.label ?? agent.id, agent])).values()];
  return vscode.l10n.t('Compare {0} {1}', moments, agentNames({ agents: names }));
}

function toSecond({ createdAt }: Named, now: Date): string {
  return `${toMoment(createdAt, now)}:${String(new Date(createdAt).getSeconds()).padStart(2, '0')}`;
}

/** `codex, claude +2` */
export function agentNames({ agents }: Pick<RunSummary, 'agents'>): string {
  return shortened(
    agents.map(agent => agent.label ?? agent.id),
    namedAgents,
  );
}

function shortened(names: readonly string[], most: number): string {
  const more = names.length - most;
  const named = names.slice(0, most).join(', ');
  return more > 0 ? `${named} +${more}` : named;
}
