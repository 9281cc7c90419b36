import { expect, it } from 'vitest';
import type { View } from '../../../webview/components/element.ts';
import type { SessionContext } from '../../../webview/pages/session/context.ts';
import { SessionModel } from '../../../webview/pages/session/sessionModel.ts';
import { timeline } from '../../../webview/pages/session/timeline.ts';
import { anExchange } from '../traces/sessions/aReader.ts';

it('draws more exchanges than a call has room for arguments', () => {
  const model = new SessionModel();
  model.exchanges = Array.from({ length: 200_000 }, (_, index) => anExchange(index + 1));
  model.outline([]);
  const drawn: View | null = timeline({ model } as unknown as SessionContext);
  expect(JSON.stringify(drawn)).toContain('200000 exchanges');
});

it('draws all of a session in which the clock was set back', () => {
  const model = new SessionModel();
  const startedAt = ['2026-01-01T12:00:00.000Z', '2026-01-01T12:01:00.000Z', '2026-01-01T11:00:00.000Z'];
  model.exchanges = startedAt.map((at, index) => ({ ...anExchange(index + 1), startedAt: at }));
  model.outline([]);
  const drawn = JSON.stringify(timeline({ model } as unknown as SessionContext));
  expect(drawn).toContain('3 exchanges in 1:01:00');
  expect(drawn).not.toMatch(/M-/);
});
