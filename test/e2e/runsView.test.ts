import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import { systemClock } from '../../server/base/clock.ts';
import { RunStore } from '../../server/bench/runs/runStore.ts';
import { aRun, ScriptedRun } from '../fakes/scriptedRun.ts';
import { requireFeature } from '../require.ts';
import { aSampleRepository } from '../sampleRepository.ts';
import type { World } from '../world.ts';
import { anEditorWorld, sharedEditorTools } from './editorWorld.ts';
import { systemTheme } from './workbench.ts';

const canEdit = requireFeature('browser') && requireFeature('editor');
const seconds = 1000;
const choice = { model: 'gpt-5.5', label: null, command: null, replay: null };

/** Runs as they stand in the side bar and in tabs, of which several are much alike. */
describe.skipIf(!canEdit)('the runs of the side bar', () => {
  const tools = sharedEditorTools();

  it(
    'differ where they are different, in a narrow side bar and in the names of their tabs',
    async () => {
      const world = anEditorWorld();
      const repository = await aSampleRepository();
      keepRuns(world, repository);
      const editor = await tools.open(world, repository, systemTheme);
      const { page } = editor;
      await editor.openSideBar();
      const errored = editor.row('Runs', /finished, reward .* · 3 errored/);
      await errored.waitFor({ timeout: 60 * seconds });
      await page.locator('.pane-header', { hasText: 'Tasks' }).click();
      expect(await errored.locator('.codicon-warning').count()).toBe(1);
      const clean = editor.row('Runs', /finished, reward 0\.50/).first();
      expect(await clean.locator('.codicon-pass').count()).toBe(1);
      await errored.locator('.monaco-tl-twistie').click();
      await editor.row('Runs', /^codex #3, Errored/).waitFor();
      await errored.click();
      const frame = editor.webview();
      await frame.locator('#run-state', { hasText: 'Finished, 3 errored' }).waitFor();
      await editor.screenshots('runs-errored');
      await errored.locator('.monaco-tl-twistie').click();

      await editor
        .row('Runs', /finished, reward 0\.50/)
        .first()
        .click();
      await frame.locator('#run-state', { hasText: /^Finished$/ }).waitFor();
      const tabs = await page.locator('.tabs-container [role="tab"]', { hasText: 'Run ' }).allTextContents();
      expect(tabs).toHaveLength(2);
      expect(new Set(tabs).size).toBe(2);
      for (const width of [300, 200]) {
        await sideBarTo(page, width);
        await editor.screenshots(`runs-side-bar-${width}`);
      }
    },
    240 * seconds,
  );
});

async function sideBarTo(page: Page, width: number): Promise<void> {
  const bar = await page.locator('.part.sidebar').boundingBox();
  if (bar === null) throw new Error('There is no side bar.');
  await page.mouse.move(bar.x + bar.width, bar.y + bar.height / 2);
  await page.mouse.down();
  await page.mouse.move(bar.x + width, bar.y + bar.height / 2, { steps: 5 });
  await page.mouse.up();
  // The pointer would mark the border.
  await page.mouse.move(bar.x + width + 200, bar.y + bar.height / 2);
}

/** Two runs of the same task within a minute, one of which the machine failed in part, and one of several tasks. */
function keepRuns({ paths }: World, repository: string): void {
  mkdirSync(paths.home, { recursive: true, mode: 0o700 });
  const store = new RunStore(paths.coachDb, systemClock);
  const earlier = (ms: number) => new Date(Date.now() - ms).toISOString();
  const agents = ['codex', 'nop'].map(id => ({ ...choice, id }));
  keep(
    store,
    aRun({ id: 'run-3', repository, agents: agents.slice(0, 1), attempts: 2, createdAt: earlier(50 * 3_600_000) }),
  );
  const tasks = ['add-median', 'refund-rounding-zero-decimal-currencies'];
  keep(store, aRun({ id: 'run-2', repository, tasks, agents, createdAt: earlier(100_000) }));
  keep(store, aRun({ id: 'run-1', repository, agents, attempts: 12, createdAt: earlier(90_000) }), [2, 6, 9]);
  store.dispose();
}

function keep(store: RunStore, run: RunSummary, errored: readonly number[] = []): void {
  const script = new ScriptedRun(run, {
    changed: () => undefined,
    trialChanged: () => undefined,
    progress: () => undefined,
  });
  while (script.step());
  const error = { code: 'sandbox.failed' as const, message: 'The sandbox broke.', hint: null };
  const trials = script.trials.map(
    (trial, place): TrialSummary =>
      errored.includes(place) ? { ...trial, end: 'errored', reward: null, error } : trial,
  );
  const { trialCounts: _, meanReward: __, usage: ___, cost: ____, ...record } = script.run;
  store.create(
    record,
    trials.map(trial => ({ trial, fingerprint: null })),
    '{}',
  );
}
