import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { writeRepository } from '../integration/benchFixture.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld } from '../world.ts';
import { sharedEditorTools } from './editorWorld.ts';
import { systemTheme } from './workbench.ts';

vi.setConfig({ testTimeout: 240_000 });

describe.skipIf(!requireFeature('browser') || !requireFeature('editor'))('a task’s files in the editor', () => {
  const tools = sharedEditorTools();

  it('shows what is wrong, what can be done, and the task in the Testing view', async () => {
    const root = join(temporaryDirectory(), 'numbers');
    const settings = { ...systemTheme, 'codexCoach.testing.enabled': true, 'workbench.startupEditor': 'none' };
    writeRepository(root);
    const workbench = await tools.open(aWorld(), root, settings);
    const { page } = workbench;

    const file = join(root, '.coach', 'tasks', 'prepared', 'median', 'task.toml');
    await page.keyboard.press('Control+P');
    await page.locator('.quick-input-widget input.input').first().fill(file);
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'task.toml' }).first().click();
    await page.locator('.codelens-decoration', { hasText: 'Validate' }).waitFor({ timeout: 60_000 });
    expect(await page.locator('.codelens-decoration').allInnerTexts()).toEqual([
      expect.stringMatching(/Run[\s|]+Validate/),
    ]);
    await workbench.command('Testing: Focus on Test Explorer View');
    const suite = page.getByRole('treeitem', { name: /numbers/ }).last();
    await suite.click({ timeout: 20_000 });
    await page.keyboard.press('ArrowRight');
    await workbench.screenshots('testing-view');
    await page.locator('.test-explorer .monaco-list-row', { hasText: 'Median' }).waitFor({ timeout: 10_000 });

    writeFileSync(file, `${'#\n'}schema_version = 1\n[environment]\nmemory = "2G"\n`);
    await page.locator('.squiggly-error').first().waitFor({ timeout: 30_000 });
    await workbench.screenshots('task-file');
  });
});
