import { expect, it } from 'vitest';
import { thirdPartyNotices } from '../../../scripts/notices.ts';

const input = { bytes: 1, imports: [] };

it('names every bundled package once, with its licence text, and nothing of ours', () => {
  const notices = thirdPartyNotices([
    {
      inputs: {
        'node_modules/zod/v4/core/api.js': input,
        'node_modules/zod/index.js': input,
        'node_modules/@vscode/webview-ui-toolkit/dist/index.js': input,
        'client/extension.ts': input,
      },
      outputs: {},
    },
  ]);
  expect(notices.match(/^zod \d/gm)).toHaveLength(1);
  expect(notices).toMatch(/^@vscode\/webview-ui-toolkit \d/m);
  expect(notices).toContain('MIT License');
  expect(notices).not.toContain('client/');
});
