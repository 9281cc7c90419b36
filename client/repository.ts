import * as vscode from 'vscode';
import { CoachError } from '../protocol/errors.ts';

/** The folders of this window that can hold a repository. The server finds the repository's root from them. */
export function repositories(): string[] {
  return (vscode.workspace.workspaceFolders ?? [])
    .filter(folder => folder.uri.scheme === 'file')
    .map(folder => folder.uri.fsPath);
}

/** The rows of all repositories of this window, in their order. Fails when one of them does. */
export async function rowsOfAll<Row>(
  ask: (repository: string) => Promise<{ readonly rows: readonly Row[] }>,
): Promise<Row[]> {
  const pages = await Promise.all(repositories().map(ask));
  return pages.flatMap(({ rows }) => rows);
}

/**
 * The folder a command works on: the only one, the one of the active editor, or the one the person picks.
 * Undefined when the person dismissed the pick.
 * @throws CoachError `git.notARepository` without a folder
 */
export async function pickRepository(): Promise<string | undefined> {
  const folders = repositories();
  if (folders.length === 0) {
    throw new CoachError('git.notARepository', vscode.l10n.t('No folder is open.'), {
      hint: vscode.l10n.t('Open the folder of a git repository first.'),
    });
  }
  if (folders.length === 1) return folders[0];
  const active = vscode.window.activeTextEditor?.document.uri;
  const activeFolder = active && vscode.workspace.getWorkspaceFolder(active)?.uri.fsPath;
  if (activeFolder !== undefined && folders.includes(activeFolder)) return activeFolder;
  return vscode.window.showQuickPick(folders, { title: vscode.l10n.t('Which repository?') });
}
