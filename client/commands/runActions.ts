import { readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { Coach } from '../coach.ts';
import { showWarning } from '../messages.ts';
import { conversationUri } from '../review/files.ts';
import { reportTitle } from '../views/runTitle.ts';

/** Asks once. False when the person kept the run going. */
export async function confirmCancel(coach: Coach, runId: string): Promise<boolean> {
  const { trials } = await coach.api.runs.show({ runId });
  const open = trials.filter(trial => trial.phase !== 'done').length;
  const stop = vscode.l10n.t('Cancel Run');
  const chosen = await showWarning(
    vscode.l10n.t('Cancel this run?'),
    {
      modal: true,
      detail: vscode.l10n.t('{0} trials have not ended. Their agents stop; verdicts reached so far are kept.', open),
    },
    stop,
  );
  if (chosen !== stop) return false;
  await coach.api.runs.cancel({ runId });
  return true;
}

/** In the browser; in a tab where the browser is on another machine than the file. */
export async function openReport(coach: Coach, runId: string): Promise<void> {
  const { file } = await coach.api.runs.report({ runId });
  const apart = vscode.env.remoteName !== undefined || vscode.env.uiKind === vscode.UIKind.Web;
  if (!apart && (await vscode.env.openExternal(vscode.Uri.file(file)))) return;
  const { run } = await coach.api.runs.show({ runId });
  const panel = vscode.window.createWebviewPanel('codexCoach.report', reportTitle(run), vscode.ViewColumn.Active, {
    enableScripts: false,
    enableFindWidget: true,
    localResourceRoots: [],
  });
  panel.webview.html = await readFile(file, 'utf8');
}

/** The conversation as a Markdown document, which can be searched and copied as any text. */
export async function openSessionText(sessionId: string, title: string): Promise<void> {
  const document = await vscode.workspace.openTextDocument(conversationUri(sessionId, title));
  await vscode.window.showTextDocument(document, { preview: true });
}
