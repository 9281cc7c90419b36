import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { requireFeature } from '../require.ts';
import { provideCodex } from '../world.ts';
import { anEditorWorld, sharedEditorTools } from './editorWorld.ts';

const canRun = ['browser', 'editor', 'codex', 'sandbox'].every(feature =>
  requireFeature(feature as Parameters<typeof requireFeature>[0]),
);
const seconds = 1000;

/** Our pages in a real workbench, from a demo whose Codex session and run are real. */
describe.skipIf(!canRun)('pages in the editor', () => {
  const tools = sharedEditorTools();

  it(
    'show a session, lead from a comparison to a trial, and come back after a reload',
    async () => {
      const world = anEditorWorld({ COACH_EXECUTOR: 'local' });
      provideCodex(world);
      await world.cli(['demo']);
      const [name = ''] = readdirSync(world.paths.workspaces).filter(entry => entry.startsWith('demo-'));
      const editor = await tools.open(world, join(world.paths.workspaces, name, 'sample'));
      await editor.openSideBar();
      const page = editor.webview();

      await editor.row('Sessions', /codex/).first().click();
      await page.locator('.said.prompt').first().waitFor();
      await page.locator('.line.tool').first().waitFor();
      await editor.screenshot('editor-trace');
      const file = page.locator('.files .link').first();
      await file.click();
      await editor.page.locator('.monaco-editor .view-line').first().waitFor();
      await editor.screenshot('editor-trace-file');

      await editor.command('Codex Coach: Compare Agents…');
      await editor.pick(/finished/);
      await editor.confirmPick();
      await page.locator('[data-agent="oracle"]').waitFor();
      await editor.screenshot('editor-compare');
      await page.locator('button.mk.yes').first().click();
      await page.locator('#trial-state', { hasText: 'Passed' }).waitFor();
      await page.locator('#event-list .ev').first().waitFor();
      await editor.screenshot('editor-run-from-comparison');

      // In a browser the workbench writes down its open tabs only every five seconds.
      await editor.page.waitForTimeout(6 * seconds);
      await editor.page.reload();
      await page
        .locator('#event-list .ev')
        .first()
        .waitFor({ timeout: 60 * seconds });
      await editor.page.getByRole('tab', { name: /^Compare \d/ }).click();
      await page.locator('[data-agent="oracle"]').waitFor();
    },
    240 * seconds,
  );
});
