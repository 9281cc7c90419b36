import * as vscode from 'vscode';
import { CoachError } from '../../protocol/errors.ts';
import { toCount, toMoney } from '../../protocol/figures.ts';
import { totalTokens } from '../../protocol/usage.ts';
import type { Coach } from '../coach.ts';
import { type CommandName, commandId, commands } from '../contributions.ts';
import { showWarning } from '../messages.ts';
import { repositories } from '../repository.ts';
import { titleOf } from '../titles.ts';
import type { CommandHandlers } from './handler.ts';

type Names = 'refresh' | 'showStatus' | 'restartServer' | 'openServerLog';

/** The background server as the person meets it: its state, its log, a new start. */
export function serverCommands(coach: Coach, refreshViews: () => void): CommandHandlers<Names> {
  return {
    refresh: refreshViews,
    showStatus: () => showStatus(coach),
    restartServer: () => restartServer(coach),
    openServerLog: () => openServerLog(coach),
  };
}

async function restartServer(coach: Coach): Promise<void> {
  const restarted = vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Starting the background server') },
    () => coach.server.restart(),
  );
  const isAnew = await Promise.resolve(restarted).catch((error: unknown) => {
    if (coach.server.isToldWhyDown) return true;
    throw error;
  });
  if (isAnew) return;
  void showWarning(
    vscode.l10n.t(
      'The background server is in use by agents or trials, and keeps the settings that it was started with. Restart it when they are done.',
    ),
  );
}

/** What can be done, and then how things are. */
async function showStatus(coach: Coach): Promise<void> {
  const [facts, actions] = await Promise.all([statusFacts(coach), offered(coach)]);
  const items = actions.map(name => ({ label: `${commands[name].icon} ${titleOf(name)}`, name }));
  const chosen = await vscode.window.showQuickPick<vscode.QuickPickItem & { name?: CommandName }>(
    [...items, { label: vscode.l10n.t('State'), kind: vscode.QuickPickItemKind.Separator }, ...facts],
    { title: 'Codex Coach' },
  );
  if (chosen?.name !== undefined) await vscode.commands.executeCommand(commandId(chosen.name));
}

async function statusFacts(coach: Coach): Promise<vscode.QuickPickItem[]> {
  const [info, proxy, today] = await Promise.all([
    coach.api.server.status({}),
    coach.api.proxy.status({}),
    coach.api.sessions.today({}),
  ]);
  const listening = proxy.port === null ? proxy.state : `${proxy.host}:${proxy.port}`;
  const spent =
    today.exchanges === 0
      ? vscode.l10n.t('nothing recorded')
      : vscode.l10n.t('{0} tokens, {1}', toCount(totalTokens(today.usage)), toMoney(today.cost));
  return [
    { label: `$(graph-line) ${vscode.l10n.t('Today')}`, description: spent },
    {
      label: `$(broadcast) ${vscode.l10n.t('Recording proxy')}`,
      description: proxy.error ?? `${listening}, ${vscode.l10n.t('{0} exchanges recorded', proxy.exchanges)}`,
    },
    {
      label: `$(server) ${vscode.l10n.t('Background server {0}', info.version)}`,
      description: vscode.l10n.t('process {0}, trials running: {1}', info.pid, info.runningTrials),
      detail: info.home,
    },
  ];
}

/** What can be done now: ending a recording comes first while there is one. */
async function offered(coach: Coach) {
  const [recording, sessions] = await Promise.all([isRecording(coach), coach.api.sessions.list({ limit: 1 })]);
  const search = sessions.rows.length > 0 ? (['searchSessions'] as const) : [];
  const last = ['openServerLog', 'restartServer'] as const;
  if (!vscode.workspace.isTrusted) return [...search, ...last];
  const begin = repositories().length > 0 ? 'startRecording' : 'openSample';
  const first = recording ? (['endRecording', 'discardRecording'] as const) : ([begin] as const);
  return [...first, 'openRecordedTerminal' as const, ...search, 'testRoute' as const, ...last];
}

async function isRecording(coach: Coach): Promise<boolean> {
  if (!vscode.workspace.isTrusted) return false;
  const answers = await Promise.all(
    repositories().map(repository => coach.api.tasks.recording({ repository }).catch(() => ({ recording: null }))),
  );
  return answers.some(({ recording }) => recording !== null);
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
