import { expect, it, vi } from 'vitest';
import type { Coach } from '../../../client/coach.ts';
import { lineUri, registerRecordedText } from '../../../client/panels/recordedText.ts';
import { SessionLines } from '../../../server/traces/sessions/sessionLines.ts';
import { anExchange, anItem } from '../traces/sessions/aReader.ts';

interface Provider {
  provideTextDocumentContent(uri: { query: string }): Promise<string>;
}
const registered = vi.hoisted(() => ({ provider: null as Provider | null }));
vi.mock('vscode', () => ({
  l10n: { t: (text: string) => text },
  Uri: { from: (parts: object) => parts },
  workspace: {
    registerTextDocumentContentProvider: (_scheme: string, provider: Provider) => {
      registered.provider = provider;
    },
  },
}));

it('names a line, whatever moves in before it', async () => {
  const late = [anItem(2, 'user', 'Ask B.'), anItem(2, 'assistant', 'Answer B.')];
  let lines = new SessionLines([anExchange(2)], late);
  const coach = {
    api: {
      sessions: {
        outline: async () => ({ rows: [...lines.outline] }),
        text: async ({ line, whole }: { line: number; whole: boolean }) => lines.text(line, whole),
      },
    },
  } as unknown as Coach;
  registerRecordedText(coach);
  const uri = await lineUri(coach, 's', 1);
  lines = new SessionLines([anExchange(1), anExchange(2)], [anItem(1, 'assistant', 'Answer A.'), ...late]);
  expect(await registered.provider?.provideTextDocumentContent(uri)).toBe('Answer B.');
  const old = { query: JSON.stringify({ sessionId: 's', line: 1 }) };
  expect(await registered.provider?.provideTextDocumentContent(old)).toBe('Ask B.');
  lines = new SessionLines([], []);
  await expect(registered.provider?.provideTextDocumentContent(uri)).rejects.toThrow('no longer');
});
