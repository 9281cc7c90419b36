import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import { CoachError } from '../../protocol/errors.ts';
import type { TouchedFile } from '../../protocol/sessions.ts';

/**
 * Opens a file that a session touched, at the line it touched, as far as that can still be found.
 * @param directory where the agent worked
 * @throws CoachError `input.invalid` when there is no such file here
 */
export async function openTouchedFile(file: TouchedFile, directory: string | null): Promise<void> {
  const uri = await locate(file.path, directory);
  if (uri === null) {
    throw new CoachError('input.invalid', `${file.path} is not on this machine, or no longer.`, {
      hint: 'Open the folder that the agent worked in.',
    });
  }
  const document = await vscode.workspace.openTextDocument(uri);
  const line = Math.min(document.lineCount, lineIn(document.getText(), file) ?? 1) - 1;
  const { range } = document.lineAt(line);
  await vscode.window.showTextDocument(document, { selection: new vscode.Range(range.start, range.start) });
}

/** 1-based; null when the line that was written is no longer there. */
export function lineIn(content: string, { line, text }: Pick<TouchedFile, 'line' | 'text'>): number | null {
  if (line !== null || text === null) return line;
  const place = content.split(/\r?\n/).findIndex(candidate => candidate.includes(text));
  return place < 0 ? null : place + 1;
}

async function locate(path: string, directory: string | null): Promise<vscode.Uri | null> {
  const folders = [directory, ...(vscode.workspace.workspaceFolders ?? []).map(folder => folder.uri.fsPath)];
  const candidates = isAbsolute(path)
    ? [path]
    : folders.flatMap(folder => (folder === null ? [] : [join(folder, path)]));
  for (const candidate of candidates) {
    const uri = vscode.Uri.file(candidate);
    const found = await Promise.resolve(vscode.workspace.fs.stat(uri)).catch(() => null);
    if (found?.type === vscode.FileType.File) return uri;
  }
  return null;
}
