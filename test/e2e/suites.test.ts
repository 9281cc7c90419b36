import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import { writePreparedTask, writeRepository } from '../integration/benchFixture.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, type World } from '../world.ts';
import { sharedEditorTools } from './editorWorld.ts';
import { systemTheme, type Workbench } from './workbench.ts';

const canRun = requireFeature('browser') && requireFeature('editor') && requireFeature('sandbox');
const seconds = 1000;
const patience = { timeout: 30 * seconds };

describe.skipIf(!canRun)('suites in the editor', () => {
  const tools = sharedEditorTools();

  it(
    'are made, filled by dragging, run as a whole and emptied in the Tasks view',
    async () => {
      const { world, root } = aRepository();
      const editor = await tools.open(world, root, { ...systemTheme, 'codexCoach.run.executor': 'local' });
      await editor.openSideBar();
      await editor.row('Tasks', /^Median/).waitFor(patience);

      await editor.command('Codex Coach: Create Suite…');
      await editor.answer('Small Numbers');
      await editor.pick('median');
      await editor.confirmPick();
      await editor.row('Tasks', /^Small Numbers, 1 task/).waitFor(patience);
      await editor
        .row('Tasks', /^Small Numbers/)
        .locator('.monaco-tl-twistie')
        .click();

      await editor.row('Tasks', /^Mode/).dragTo(editor.row('Tasks', /^Small Numbers/));
      await editor.row('Tasks', /^Small Numbers, 2 tasks/).waitFor(patience);
      const file = join(root, '.coach', 'suites', 'small-numbers.toml');
      expect(readFileSync(file, 'utf8')).toContain('tasks = [\n  "median",\n  "mode",\n]');
      await editor.screenshots('suites');

      await press(editor.row('Tasks', /^Small Numbers/), 'Run Suite…');
      await editor.page.getByText('Run Agents on Tasks (2/3): Agents').waitFor();
      await editor.pick('Oracle');
      await editor.confirmPick();
      await editor.answer('1');
      await editor.page.locator('.monaco-dialog-box', { hasText: 'Start 2 trials?' }).waitFor();
      await editor.dialog('Start Run');
      await editor.row('Runs', /finished, reward 1\.00/).waitFor({ timeout: 120 * seconds });
      expect((await lastRun(world, root)).run.tasks).toEqual(['median', 'mode']);

      await press(editor.row('Tasks', /^Mode/).first(), 'Remove from Suite');
      await editor.row('Tasks', /^Small Numbers, 1 task/).waitFor(patience);
      writeFileSync(file, readFileSync(file, 'utf8').replace('"median"', '"median", "gone"'));
      await editor.row('Tasks', /^gone, missing/).waitFor(patience);
      await editor.command('Codex Coach: Run Suite…');
      await editor.pick('Small Numbers');
      await editor.page
        .getByText('The suite small-numbers names tasks that are not prepared: gone')
        .first()
        .waitFor(patience);
      await editor.screenshots('suite-lacks-task');

      await editor.command('Codex Coach: Open Suite File');
      await editor.pick('Small Numbers');
      await editor.page.locator('.squiggly-error').first().waitFor(patience);
      await editor.screenshots('suite-file');
      await editor.command('Codex Coach: Delete Suite…');
      await editor.pick('Small Numbers');
      await editor.dialog('Delete');
      await editor.row('Tasks', /^Small Numbers/).waitFor({ state: 'detached', ...patience });
    },
    300 * seconds,
  );

  it(
    'stand in the Testing view while it is on; running asks with count and cost, and each attempt shows its result',
    async () => {
      const { world, root } = aRepository();
      const made = await world.cli(['suite', 'create', 'Smoke', '--tasks', 'median'], { cwd: root });
      expect(made).toMatchObject({ code: 0, stderr: '' });
      const editor = await tools.open(world, root, { ...systemTheme, 'codexCoach.run.executor': 'local' });
      await editor.openSideBar();
      await editor.row('Tasks', /^Smoke/).waitFor(patience);
      await editor.tick('codexCoach.testing.enabled', true);
      await editor.command('Testing: Focus on Test Explorer View');
      const smoke = test(editor, /^Smoke/);
      await smoke.waitFor(patience);
      await test(editor, /^numbers/).waitFor();
      await smoke.click();
      await editor.page.keyboard.press('ArrowRight');
      await test(editor, /^Median/).waitFor(patience);

      await press(smoke, 'Run Test');
      await editor.page.getByText('Run Agents on Tasks (2/3): Agents').waitFor(patience);
      await editor.pick('Oracle', 'No-op');
      await editor.confirmPick();
      await editor.answer('2');
      const question = editor.page.locator('.monaco-dialog-box', { hasText: 'Start 4 trials?' });
      await question.waitFor(patience);
      await question.getByText('Cost: none, no model is called.').waitFor();
      expect((await runs(world, root)).length, 'nothing runs before the answer').toBe(0);
      await editor.screenshots('testing-confirm');
      await editor.dialog('Start Run');

      await expect.poll(async () => (await runs(world, root))[0]?.state, { timeout: 120 * seconds }).toBe('finished');
      await test(editor, /^Median/).click();
      await editor.page.keyboard.press('ArrowRight');
      for (const attempt of [1, 2]) {
        await test(editor, new RegExp(`^oracle #${attempt}: reward 1.00.*Passed`)).waitFor(patience);
        await test(editor, new RegExp(`^nop #${attempt}: reward 0.00.*Failed`)).waitFor(patience);
      }
      await editor.screenshots('testing-results');
      const { trials } = await lastRun(world, root);
      expect(trials.map(({ agentLabel, reward }) => [agentLabel, reward])).toEqual([
        ['oracle', 1],
        ['nop', 0],
        ['oracle', 1],
        ['nop', 0],
      ]);

      // "Run All" is for the person's own tests; where there are none it asks, too.
      await editor.command('Test: Run All Tests');
      await editor.page.getByText('Run Agents on Tasks (2/3): Agents').waitFor(patience);
      await editor.page.keyboard.press('Escape');
      expect(await runs(world, root)).toHaveLength(1);

      await editor.tick('codexCoach.testing.enabled', false);
      await test(editor, /^Smoke/).waitFor({ state: 'detached', ...patience });
      await editor.screenshots('testing-off');
    },
    300 * seconds,
  );
});

/** Two prepared tasks. */
function aRepository(): { readonly world: World; readonly root: string } {
  const root = join(temporaryDirectory(), 'numbers');
  writeRepository(root);
  const mode = join(writePreparedTask(root, 'mode'), 'task.toml');
  writeFileSync(mode, readFileSync(mode, 'utf8').replace('title = "Median"', 'title = "Mode"'));
  return { world: aWorld({ COACH_EXECUTOR: 'local', COACH_IDLE_SECS: '30' }), root };
}

function test(editor: Workbench, name: RegExp): Locator {
  return editor.page.locator('.test-explorer').getByRole('treeitem', { name });
}

/** A button of a row, which shows when one points at it. */
async function press(row: Locator, name: string): Promise<void> {
  await row.hover();
  await row.getByRole('button', { name }).first().click();
}

async function runs(world: World, root: string): Promise<RunSummary[]> {
  const { stdout } = await world.cli(['runs', 'list', '--json'], { cwd: root });
  return RunSummary.array().parse((JSON.parse(stdout) as { rows: unknown }).rows);
}

async function lastRun(world: World, root: string): Promise<{ run: RunSummary; trials: TrialSummary[] }> {
  const [run] = await runs(world, root);
  if (run === undefined) throw new Error('Nothing has run.');
  const { stdout } = await world.cli(['runs', 'show', run.id, '--json'], { cwd: root });
  return { run, trials: TrialSummary.array().parse((JSON.parse(stdout) as { trials: unknown }).trials) };
}
