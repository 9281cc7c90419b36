import * as vscode from 'vscode';
import type { RunSummary } from '../../protocol/runs.ts';
import { toMoment } from './moment.ts';

/** As many agents are named; of the others there is the number. */
const namedAgents = 2;

/** What the tab of a run is called: runs of the same task differ in when they began, to the second, and mostly in their agents. */
export function runTitle(run: Pick<RunSummary, 'createdAt' | 'agents'>, now: Date = new Date()): string {
  const second = String(new Date(run.createdAt).getSeconds()).padStart(2, '0');
  return vscode.l10n.t('Run {0} {1}', `${toMoment(run.createdAt, now)}:${second}`, agentNames(run));
}

/** `codex, claude +2` */
export function agentNames({ agents }: Pick<RunSummary, 'agents'>): string {
  const names = agents.map(agent => agent.label ?? agent.id);
  const more = names.length - namedAgents;
  const named = names.slice(0, namedAgents).join(', ');
  return more > 0 ? `${named} +${more}` : named;
}
