import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import { toCount } from '../../protocol/figures.ts';
import type { SessionSummary } from '../../protocol/sessions.ts';
import { totalTokens } from '../../protocol/usage.ts';
import type { Coach } from '../coach.ts';
import { commandId, prefix } from '../contributions.ts';
import { showInformation } from '../messages.ts';
import { rowsOfAll } from '../repository.ts';
import { setting } from '../settings.ts';
import { agentOf } from './commandLine.ts';

/** The last exchange is written a moment after the agent ended. */
const looksAfterMs = [0, 1000, 3000];

interface Started {
  readonly agent: string;
  readonly at: Date;
}

/**
 * Notices agents that run in the editor's terminals, by shell integration, and offers what one left as a task when it
 * ends. An agent that was not recorded, by the proxy or by itself, is passed over.
 */
export function watchAgents(coach: Coach): vscode.Disposable {
  const running = new Map<vscode.TerminalShellExecution, Started>();
  return vscode.Disposable.from(
    vscode.window.onDidStartTerminalShellExecution(({ execution }) => {
      const agent = agentOf(execution.commandLine.value);
      if (agent !== null) running.set(execution, { agent, at: new Date() });
    }),
    vscode.window.onDidEndTerminalShellExecution(({ execution, exitCode }) => {
      const started = running.get(execution);
      running.delete(execution);
      if (started === undefined || !vscode.workspace.isTrusted || !setting('terminal.offerTasks')) return;
      void offerTask(coach, started, exitCode).catch((error: unknown) => coach.log.warn(String(error)));
    }),
  );
}

async function offerTask(coach: Coach, started: Started, exitCode: number | undefined): Promise<void> {
  const session = await sessionOf(coach, started);
  if (session === undefined) return;
  const tokens = totalTokens(session.usage);
  const save = vscode.l10n.t('Save as Task…');
  const show = vscode.l10n.t('Show Trace');
  const never = vscode.l10n.t('Don’t Offer Again');
  const ended =
    exitCode === undefined || exitCode === 0
      ? vscode.l10n.t('{0} has ended: “{1}”', started.agent, session.title)
      : vscode.l10n.t('{0} has ended with exit code {1}: “{2}”', started.agent, exitCode, session.title);
  const chosen = await showInformation(
    tokens === null ? ended : `${ended} (${vscode.l10n.t('{0} tokens', toCount(tokens))})`,
    save,
    show,
    never,
  );
  const row = { kind: 'session', session };
  if (chosen === save) await vscode.commands.executeCommand(commandId('taskFromSession'), row);
  else if (chosen === show) await vscode.commands.executeCommand(commandId('openSession'), row);
  else if (chosen === never) {
    const configuration = vscode.workspace.getConfiguration(prefix);
    await configuration.update('terminal.offerTasks', false, vscode.ConfigurationTarget.Global);
  }
}

/** The session of this agent, in a folder of this window, that was active since it started. */
async function sessionOf(coach: Coach, { agent, at }: Started): Promise<SessionSummary | undefined> {
  for (const waitMs of looksAfterMs) {
    await delay(waitMs);
    const sessions = await rowsOfAll(repository =>
      coach.api.sessions.list({ repository, since: at.toISOString(), limit: 20 }),
    );
    const found = sessions.find(row => row.purpose === undefined && (row.agent === agent || row.agent === null));
    if (found !== undefined) return found;
  }
  return undefined;
}
