import * as vscode from 'vscode';
import { lineIds } from '../../protocol/lineIds.ts';
import type { SessionOpening } from '../../protocol/sessions.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Coach } from '../coach.ts';

const scheme = 'codex-coach-text';

/** The whole text of a line of a session, as a read-only document: of this line also when others have moved in before it. */
export async function lineUri(coach: Coach, sessionId: string, line: number): Promise<vscode.Uri> {
  const id = idsOf((await coach.api.sessions.outline({ sessionId })).rows)[line];
  return vscode.Uri.from({ scheme, path: `/line ${line + 1}.txt`, query: JSON.stringify({ sessionId, line, id }) });
}

function idsOf(rows: SessionOpening['rows']): string[] {
  return rows.flatMap(({ exchangeId, kinds }) => lineIds(exchangeId, kinds));
}

/** Serves what `lineUri` names. Recorded text stands in it with its control characters visible. */
export function registerRecordedText(coach: Coach): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(scheme, {
    async provideTextDocumentContent(uri) {
      const { sessionId, line: then, id } = JSON.parse(uri.query) as { sessionId: string; line: number; id?: string };
      const { rows } = await coach.api.sessions.outline({ sessionId });
      // Tabs of earlier versions have only the number.
      const line = id === undefined ? then : idsOf(rows).indexOf(id);
      if (line < 0) throw new Error(vscode.l10n.t('This text is no longer among what was recorded.'));
      const { text, output } = await coach.api.sessions.text({ sessionId, line, whole: true });
      return visible(output === null ? text : `${text}\n\n${output}`);
    },
  });
}
