import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { TrialSummary } from '../../protocol/runs.ts';
import { runGit } from '../integration/executorsFixture.ts';
import { requireFeature } from '../require.ts';
import type { World } from '../world.ts';
import { sharedEditorTools } from './editorWorld.ts';
import { commentsOf, list, markup, openReview, reviewedWorld, reviewRow, writeComment } from './reviewWorld.ts';
import type { Workbench } from './workbench.ts';

const canReview = requireFeature('browser') && requireFeature('editor') && requireFeature('sandbox');
const seconds = 1000;
const patience = { timeout: 30_000 };

/** The native review of real trials, in a real workbench. */
describe.skipIf(!canReview)('reviewing a trial in the editor', () => {
  const tools = sharedEditorTools();

  it(
    'shows the change, takes two of three hunks over in one edit, and one Undo takes them back',
    async () => {
      const { world, root } = await reviewedWorld();
      const mine = { 20: 'mine' };
      writeFileSync(join(root, 'src', 'list.js'), list(mine));
      const editor = await openReview(tools, world, root, 'oracle #1');
      const before = treeOf(root);
      await editor.page.locator('.multiDiffEntry', { hasText: 'median.js' }).waitFor();
      await reviewRow(editor, /^list\.js/).waitFor();
      await editor.screenshots('review-changes');

      await reviewRow(editor, /^list\.js/)
        .locator('.monaco-tl-twistie')
        .click();
      for (const [line, action, decision] of [
        [2, 'Accept Change', 'accepted'],
        [28, 'Accept Change', 'accepted'],
        [14, 'Reject Change', 'rejected'],
      ] as const) {
        await rowAction(reviewRow(editor, new RegExp(`^Line ${line}(,|$)`)), action);
        await reviewRow(editor, `Line ${line}, ${decision}`).waitFor();
      }
      await reviewRow(editor, /^list\.js.*2 of 3 accepted/).waitFor();
      await editor.screenshots('review-decided');

      await editor.command('Codex Coach: Apply Accepted Changes…');
      await editor.page.locator('.bulk-edit-panel').getByText('list.js').first().waitFor();
      // Rows of files that have moved on are to be ticked; the tree has the focus.
      await editor.page.keyboard.press('Home');
      await editor.page.keyboard.press('Space');
      await editor.page.locator('.bulk-edit-panel [role=checkbox][aria-checked=true]').first().waitFor();
      await editor.screenshots('review-preview');
      await editor.page.locator('.bulk-edit-panel').getByRole('button', { name: 'Apply' }).click();
      const file = join(root, 'src', 'list.js');
      await expect
        .poll(() => readFileSync(file, 'utf8'), patience)
        .toBe(list({ ...mine, 2: 'second', 28: 'twenty-eighth' }));

      await openFile(editor, 'list.js');
      await editor.page.keyboard.press('Control+z');
      await editor.command('File: Save All Files');
      await expect.poll(() => treeOf(root), patience).toBe(before);
    },
    300 * seconds,
  );

  it(
    'keeps comments with the trial, and shows the reference or another trial instead',
    async () => {
      const { world, root, trials } = await reviewedWorld();
      const editor = await openReview(tools, world, root, 'oracle #1');
      await comment(editor, world, trials);
      await theOtherSides(editor);
    },
    300 * seconds,
  );

  it(
    'marks failed tests at their lines, and asks before it leaves a conflict',
    async () => {
      const { world, root } = await reviewedWorld();
      writeFileSync(join(root, 'src', 'list.js'), list({ 2: 'mine' }));
      const editor = await openReview(tools, world, root, 'command #1');
      await reviewRow(editor, 'Failed tests').waitFor();
      await editor.command('Problems: Focus on Problems View');
      await editor.page.getByText('Failed test:').first().waitFor();
      await editor.screenshots('review-failures');

      await editor.command('Codex Coach: Accept All Changes');
      await editor.command('Codex Coach: Apply Accepted Changes…');
      await editor.page.locator('.monaco-dialog-box', { hasText: 'conflict' }).waitFor();
      await editor.screenshots('review-conflict');
      await editor.dialog('Resolve in Merge Editor');
      await editor.page.locator('.merge-editor').waitFor();
      await editor.page.locator('.merge-editor .view-line', { hasText: 'mine' }).first().waitFor();
      await editor.screenshots('review-merge-editor');
      expect(readFileSync(join(root, 'src', 'list.js'), 'utf8'), 'left as it is').toBe(list({ 2: 'mine' }));
      await expect
        .poll(() => readFileSync(join(root, 'src', 'median.js'), 'utf8'), patience)
        .toContain('list.first.value');
    },
    300 * seconds,
  );
});

/** What git would commit of the files now. */
function treeOf(root: string): string {
  runGit(root, 'add', '--all', '--', '.', ':!.coach');
  return runGit(root, 'write-tree');
}

async function rowAction(row: Locator, name: string): Promise<void> {
  await row.hover();
  await row.getByRole('button', { name }).click();
}

async function openFile(editor: Workbench, name: string): Promise<void> {
  await editor.page.keyboard.press('Control+p');
  await editor.page.locator('.quick-input-widget input.input').first().fill(name);
  await editor.page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().click();
  await editor.page.locator('.editor-group-container .view-line', { hasText: 'line 1' }).first().click();
}

/** A thread that is written, kept with the trial and resolved. */
async function comment(editor: Workbench, world: World, trials: readonly TrialSummary[]): Promise<void> {
  const trial = trials.find(({ agentLabel }) => agentLabel === 'oracle')?.id ?? '';
  const words = 'Is *this* <b>the</b> [name](command:x)?';
  await writeComment(editor, words, 'review-commenting');
  const comments = () => commentsOf(world, trial);
  await expect.poll(comments, patience).toMatchObject([{ text: words, file: 'src/list.js', line: 14, side: 'agent' }]);
  await editor.screenshots('review-comment');
  await editor.page.locator('.review-widget').getByRole('button', { name: 'Resolve Conversation' }).click();
  await expect.poll(comments, patience).toMatchObject([{ resolved: true }]);
}

/** The reference, and another trial beside this one. */
async function theOtherSides(editor: Workbench): Promise<void> {
  await editor.command('Codex Coach: Show the Reference Solution Instead');
  await editor.page.locator('.tab', { hasText: 'start ↔ reference' }).waitFor();
  // The editor that opens takes the focus, and closes a palette that was opened before.
  await editor.page.locator('.multiDiffEntry').first().waitFor();
  await editor.command('Codex Coach: Review Beside Another Trial…');
  await editor.pick(/median/);
  await editor.pick('oracle #1');
  await editor.pick('command #1');
  await editor.page.locator('.tab', { hasText: 'oracle #1 ↔ command #1' }).waitFor();
  await editor.page.locator('.editor.modified .view-line', { hasText: markup }).first().waitFor();
  await editor.screenshots('review-beside');
}
