import * as vscode from 'vscode';
import { commandId, fileScheme } from '../contributions.ts';
import type { CurrentReview } from './current.ts';
import { reviewedFile } from './review.ts';
import { toRecordedFile } from './uris.ts';
import { isDecidable, type ReviewNode } from './view.ts';

/** Accept and Reject above each hunk of the agent's files. In diffs they show where `diffEditor.codeLens` is on. */
export function createLenses(current: CurrentReview): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses: document => lensesOf(current, document.uri),
  };
  return vscode.Disposable.from(
    changed,
    current.onDidChange(() => changed.fire()),
    vscode.languages.registerCodeLensProvider({ scheme: fileScheme }, provider),
  );
}

function lensesOf({ review }: CurrentReview, uri: vscode.Uri): vscode.CodeLens[] {
  const shown = toRecordedFile(uri);
  if (review === undefined || shown === null || shown.side !== 'agent' || !isDecidable(review)) return [];
  const file = reviewedFile(review, shown);
  if (file === undefined) return [];
  const places = file.hunks.length === 0 ? [0] : file.hunks.map(({ end }) => Math.max(0, end.line - 1));
  return places.flatMap((line, part) => {
    const decision = review.marks.decision(file, part);
    const node: ReviewNode =
      file.hunks.length === 0 ? { kind: 'reviewFile', file } : { kind: 'reviewHunk', file, part };
    const lens = (name: 'acceptChange' | 'rejectChange', title: string) =>
      new vscode.CodeLens(new vscode.Range(line, 0, line, 0), { command: commandId(name), title, arguments: [node] });
    return [
      lens('acceptChange', decision === 'accepted' ? vscode.l10n.t('$(check) Accepted') : vscode.l10n.t('Accept')),
      lens('rejectChange', decision === 'rejected' ? vscode.l10n.t('$(close) Rejected') : vscode.l10n.t('Reject')),
    ];
  });
}
