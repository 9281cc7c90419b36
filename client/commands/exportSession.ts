import { homedir } from 'node:os';
import * as vscode from 'vscode';
import type { ExportFormat } from '../../protocol/sessions.ts';
import type { Coach } from '../coach.ts';
import { showInformation } from '../messages.ts';
import { repositories } from '../repository.ts';

/** Asks for a format and a file, then writes the session there. False when the person left it. */
export async function exportSession(coach: Coach, sessionId: string): Promise<boolean> {
  const title = vscode.l10n.t('Export Session');
  const chosen = await vscode.window.showQuickPick(formats(), { title });
  if (chosen === undefined) return false;
  const folder = vscode.Uri.file(repositories()[0] ?? homedir());
  const name = `session-${sessionId.replaceAll(/[^\w.-]+/g, '-').slice(0, 60)}.${chosen.extension}`;
  const target = await vscode.window.showSaveDialog({ title, defaultUri: vscode.Uri.joinPath(folder, name) });
  if (target === undefined) return false;
  const { written } = await coach.api.sessions.export({
    sessionId,
    format: chosen.format,
    output: target.fsPath,
    // The dialog has asked about a file that is there.
    force: true,
  });
  const open = vscode.l10n.t('Open');
  const words = vscode.l10n.t('Exported to {0}.', written ?? target.fsPath);
  void showInformation(words, open).then(answer => {
    if (answer === open) return vscode.commands.executeCommand('vscode.open', target);
    return undefined;
  });
  return true;
}

function formats(): (vscode.QuickPickItem & { format: ExportFormat; extension: string })[] {
  return [
    { format: 'html', extension: 'html', label: 'HTML', description: vscode.l10n.t('One page to read and to print') },
    { format: 'clean', extension: 'json', label: 'JSON', description: vscode.l10n.t('The cleaned conversation') },
    { format: 'atif', extension: 'json', label: 'ATIF 1.7', description: vscode.l10n.t('Agent trajectory') },
    { format: 'otlp', extension: 'json', label: 'OpenTelemetry', description: vscode.l10n.t('Spans of each exchange') },
  ];
}
