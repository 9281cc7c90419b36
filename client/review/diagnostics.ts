import * as vscode from 'vscode';
import type { TestFailure } from '../../protocol/reviews.ts';
import type { CurrentReview } from './current.ts';
import { fileUri, type Review } from './review.ts';
import { toUri } from './uris.ts';

/** Failed tests of the trial under review, at the lines that their report names. */
export function createFailureMarks(current: CurrentReview): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection('codex-coach-review');
  return vscode.Disposable.from(
    collection,
    current.onDidChange(() => {
      collection.clear();
      if (current.review !== undefined) collection.set(diagnosticsOf(current.review));
    }),
  );
}

/** A place of a failure: in the hidden test itself, or in the agent's tree. */
export function placeUri(review: Review, { path, file }: TestFailure['places'][number]): vscode.Uri {
  if (file !== null) return vscode.Uri.file(file);
  const changed = review.files.find(candidate => candidate.path === path);
  const shown = changed === undefined ? undefined : fileUri(review, changed, 'end');
  return shown ?? toUri({ origin: review.origin, side: 'agent', path, blob: null });
}

function diagnosticsOf(review: Review): [vscode.Uri, vscode.Diagnostic[]][] {
  const byUri = new Map<string, [vscode.Uri, vscode.Diagnostic[]]>();
  for (const { test, message, places } of review.failures) {
    for (const place of places) {
      const uri = placeUri(review, place);
      const entry = byUri.get(uri.toString()) ?? [uri, []];
      const line = place.line - 1;
      const words = vscode.l10n.t('Failed test: {0}', test);
      const diagnostic = new vscode.Diagnostic(
        // To the end of the line, however long it is.
        new vscode.Range(line, 0, line, Number.MAX_SAFE_INTEGER),
        message === null ? words : `${words}\n${message}`,
        vscode.DiagnosticSeverity.Error,
      );
      diagnostic.source = 'Codex Coach';
      entry[1].push(diagnostic);
      byUri.set(uri.toString(), entry);
    }
  }
  return [...byUri.values()];
}
