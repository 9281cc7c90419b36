import * as vscode from 'vscode';
import { budgetSentence } from '../protocol/budgets.ts';
import type { ProxyStatus } from '../protocol/proxy.ts';
import { proxyWarnings } from '../protocol/proxyWarnings.ts';
import type { Recording } from '../protocol/tasks.ts';
import type { Coach } from './coach.ts';
import { commandId, recordingContextKey } from './contributions.ts';
import { repositories } from './repository.ts';

/** One item on the left: the task being recorded, else the state of the recording proxy. Hidden until connected. */
export function createStatusBar(coach: Coach): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('codexCoach.status', vscode.StatusBarAlignment.Left, 10);
  item.name = 'Codex Coach';
  const recordings = new Map<string, Recording>();
  let proxy: ProxyStatus | undefined;

  function show(): void {
    const [recording] = recordings.values();
    void vscode.commands.executeCommand('setContext', recordingContextKey, recording !== undefined);
    if (coach.server.state !== 'up') {
      item.hide();
      return;
    }
    item.backgroundColor = undefined;
    item.command = commandId('showStatus');
    if (recording !== undefined) {
      item.text = `$(record) ${recording.title}`;
      item.tooltip = vscode.l10n.t('Recording the task “{0}”. Click to end it.', recording.title);
      item.command = commandId('endRecording');
    } else if (proxy !== undefined && (proxy.state === 'failed' || proxyWarnings(proxy).length > 0)) {
      item.text = '$(warning) Coach';
      item.tooltip = proxy.error ?? proxyWarnings(proxy).join('\n');
      item.backgroundColor = new vscode.ThemeColor('statusBarItem.warningBackground');
    } else if (proxy?.budgets.length) {
      item.text = '$(warning) Coach';
      item.tooltip = proxy.budgets.map(budgetSentence).join('\n');
      item.backgroundColor = new vscode.ThemeColor('statusBarItem.warningBackground');
    } else if (proxy?.state === 'listening') {
      item.text = '$(broadcast) Coach';
      item.tooltip = vscode.l10n.t(
        'Recording proxy on {0}:{1}, {2} exchanges',
        proxy.host,
        proxy.port ?? 0,
        proxy.exchanges,
      );
    } else {
      item.text = '$(circle-outline) Coach';
      item.tooltip = vscode.l10n.t('The recording proxy is not running. It starts with the first recorded agent.');
    }
    item.accessibilityInformation = { label: `Codex Coach: ${item.tooltip as string}` };
    item.show();
  }

  async function load(): Promise<void> {
    proxy = await coach.api.proxy.status({});
    recordings.clear();
    for (const repository of repositories()) {
      const { recording } = await coach.api.tasks.recording({ repository }).catch(() => ({ recording: null }));
      if (recording !== null) recordings.set(recording.repository, recording);
    }
    show();
  }

  const subscriptions = [
    coach.server.onDidChangeState(state => {
      show();
      if (state === 'up') void load().catch((error: unknown) => coach.log.error(String(error)));
    }),
    coach.api.proxy.on('changed', status => {
      proxy = status;
      show();
    }),
    coach.api.tasks.on('recordingChanged', ({ repository, recording }) => {
      if (!repositories().some(folder => folder === repository || folder.startsWith(`${repository}/`))) return;
      if (recording === null) recordings.delete(repository);
      else recordings.set(repository, recording);
      show();
    }),
  ];
  return vscode.Disposable.from(item, ...subscriptions);
}
