import * as vscode from 'vscode';
import type { SessionSummary } from '../../protocol/sessions.ts';
import type { Coach } from '../coach.ts';
import type { Panels } from '../panels/panels.ts';
import type { RunNode, SessionNode } from '../views/nodes.ts';
import { exportSession } from './exportSession.ts';
import { type CommandHandlers, rowsOf } from './handler.ts';
import { pickSession } from './picks.ts';

/** Pages beside those of runs: a session's trace, and agents compared. */
export function pageCommands(
  coach: Coach,
  { sessions, comparisons, runs }: Panels,
): CommandHandlers<'openSession' | 'exportSession' | 'compareRuns'> {
  return {
    async openSession(target) {
      const session = sessionOf(target) ?? (await pickSession(coach, vscode.l10n.t('Show Session Trace')));
      if (session !== undefined) sessions.open(session.id, session);
    },
    async exportSession(target) {
      const shown = sessionOf(target)?.id ?? sessions.inFront();
      const sessionId = shown ?? (await pickSession(coach, vscode.l10n.t('Export Session')))?.id;
      if (sessionId !== undefined) await exportSession(coach, sessionId);
    },
    async compareRuns(target, selection) {
      const chosen = rowsOf<RunNode>('run', target, selection).map(node => node.run.id);
      const inFront = runs.inFront();
      if (chosen.length > 0) comparisons.open(chosen);
      else await comparisons.choose(inFront === undefined ? [] : [inFront]);
    },
  };
}

function sessionOf(target: unknown): SessionSummary | undefined {
  return rowsOf<SessionNode>('session', target)[0]?.session;
}
