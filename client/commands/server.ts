import * as vscode from 'vscode';
import { CoachError } from '../../protocol/errors.ts';
import type { Coach } from '../coach.ts';
import { commandId, commands } from '../contributions.ts';
import type { CommandHandlers } from './handler.ts';

type Names = 'refresh' | 'showStatus' | 'restartServer' | 'openServerLog';

/** The background server as the person meets it: its state, its log, a new start. */
export function serverCommands(coach: Coach, refreshViews: () => void): CommandHandlers<Names> {
  return {
    refresh: refreshViews,
    showStatus: () => showStatus(coach),
    restartServer: () =>
      vscode.window.withProgress(
        { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Starting the background server') },
        () => coach.server.restart(),
      ),
    openServerLog: () => openServerLog(coach),
  };
}

async function showStatus(coach: Coach): Promise<void> {
  const [info, proxy] = await Promise.all([coach.api.server.status({}), coach.api.proxy.status({})]);
  const facts: vscode.QuickPickItem[] = [
    {
      label: `$(server) ${vscode.l10n.t('Background server {0}', info.version)}`,
      description: vscode.l10n.t(
        'process {0}, {1} clients, {2} trials running',
        info.pid,
        info.clients,
        info.runningTrials,
      ),
      detail: info.home,
    },
    {
      label: `$(broadcast) ${vscode.l10n.t('Recording proxy: {0}', proxy.state)}`,
      description: proxy.port === null ? '' : `${proxy.host}:${proxy.port}`,
      detail: proxy.error ?? vscode.l10n.t('{0} exchanges recorded', proxy.exchanges),
    },
  ];
  const actions = (
    ['startRecording', 'openRecordedTerminal', 'testRoute', 'openServerLog', 'restartServer'] as const
  ).map(name => ({ label: commands[name].title, name }));
  const chosen = await vscode.window.showQuickPick<vscode.QuickPickItem & { name?: keyof typeof commands }>(
    [...facts, { label: '', kind: vscode.QuickPickItemKind.Separator }, ...actions],
    { title: 'Codex Coach' },
  );
  if (chosen?.name !== undefined) await vscode.commands.executeCommand(commandId(chosen.name));
}

/** The running server names its log; without one, what the last start printed is all there is. */
async function openServerLog(coach: Coach): Promise<void> {
  const file = coach.server.state === 'up' ? (await coach.api.server.status({})).log : coach.server.place.outputFile;
  try {
    await vscode.window.showTextDocument(vscode.Uri.file(file));
  } catch (cause) {
    throw new CoachError('server.unreachable', vscode.l10n.t('There is no server log at {0} yet.', file), { cause });
  }
}
