import * as vscode from 'vscode';
import { visible } from '../../protocol/visibleText.ts';
import type { Coach } from '../coach.ts';

const scheme = 'codex-coach-text';

/** The whole text of one line of a session, as a read-only document. */
export function lineUri(sessionId: string, line: number): vscode.Uri {
  return vscode.Uri.from({ scheme, path: `/line ${line + 1}.txt`, query: JSON.stringify({ sessionId, line }) });
}

/** Serves what `lineUri` names. Recorded text stands in it with its control characters visible. */
export function registerRecordedText(coach: Coach): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(scheme, {
    async provideTextDocumentContent(uri) {
      const { sessionId, line } = JSON.parse(uri.query) as { sessionId: string; line: number };
      const { text, output } = await coach.api.sessions.text({ sessionId, line, whole: true });
      return visible(output === null ? text : `${text}\n\n${output}`);
    },
  });
}
