import { expect, it } from 'vitest';
import type { View } from '../../../webview/components/element.ts';
import type { SessionContext } from '../../../webview/pages/session/context.ts';
import { SessionModel } from '../../../webview/pages/session/sessionModel.ts';
import { timeline } from '../../../webview/pages/session/timeline.ts';
import { anExchange } from '../traces/aReader.ts';

it('draws more exchanges than a call has room for arguments', () => {
  const model = new SessionModel();
  model.exchanges = Array.from({ length: 200_000 }, (_, index) => anExchange(index + 1));
  model.outline([]);
  const drawn: View | null = timeline({ model } as unknown as SessionContext);
  expect(JSON.stringify(drawn)).toContain('200000 exchanges');
});
