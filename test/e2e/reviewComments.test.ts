import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Locator } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fakeJudge } from '../fakes/judge.ts';
import { startFakeUpstream } from '../fakes/upstream.ts';
import { requireFeature } from '../require.ts';
import { sharedEditorTools } from './editorWorld.ts';
import { commentsOf, openReview, reviewedWorld, writeComment } from './reviewWorld.ts';
import type { Workbench } from './workbench.ts';

const canReview = requireFeature('browser') && requireFeature('editor') && requireFeature('sandbox');
const seconds = 1000;
const patience = { timeout: 30 * seconds };
const key = 'sk-editor-key-0123456789abcdef';

/** Finds the last line of the reference’s list. */
const judged = fakeJudge(({ criterion, prompt }) =>
  prompt.includes('twenty-eighth')
    ? { criterion, verdict: 'met', evidence: 'twenty-eighth' }
    : { criterion, verdict: 'unmet', evidence: '' },
);

/** What people say about a trial in the native review, and what becomes of it. */
describe.skipIf(!canReview)('comments on a trial in the editor', () => {
  const tools = sharedEditorTools();

  it(
    'are edited, answered and deleted; one becomes a criterion, by which the trials are judged again',
    async () => {
      const upstream = await startFakeUpstream({ intercept: judged });
      onTestFinished(() => upstream.dispose());
      const upstreams = `api.openai.com=${upstream.origin}`;
      const { world, root, trials } = await reviewedWorld({
        ...{ OPENAI_API_KEY: '', COACH_UPSTREAMS: upstreams, COACH_JUDGE: 'openai/gpt-5.5' },
      });
      const oracle = trials.find(({ agentLabel }) => agentLabel === 'oracle')?.id ?? '';
      const kept = () => commentsOf(world, oracle);
      const editor = await openReview(tools, world, root, 'oracle #1');

      await writeComment(editor, 'Name the last line.');
      await press(commentRow(editor, 'Name the last line.'), 'Edit Comment');
      await editor.page.locator('.review-comment .edit-textarea .monaco-editor').click();
      await editor.page.keyboard.press('Control+a');
      await editor.page.keyboard.type('The last line is named.');
      await editor.screenshot('review-comment-editing');
      await editor.page.locator('.review-comment .edit-container').getByRole('button', { name: 'Save' }).click();
      await expect.poll(kept, patience).toMatchObject([{ text: 'The last line is named.', line: 14, criterion: null }]);
      const first = commentRow(editor, 'The last line is named.');
      await first.waitFor();

      // Shown as it was written, not as what it would be in Markdown or HTML.
      const reply = 'Not <b>needed</b>, [see](command:workbench.action.quit) **this**.';
      await answer(editor, reply);
      await expect.poll(kept, patience).toMatchObject([{}, { text: reply, replyTo: expect.any(String) }]);
      await commentRow(editor, reply).waitFor();
      await editor.screenshot('review-comment-reply');
      await press(commentRow(editor, reply), 'Delete Comment…');
      await editor.dialog('Delete');
      await expect.poll(kept, patience).toMatchObject([{ text: 'The last line is named.' }]);
      expect(await kept()).toHaveLength(1);
      await commentRow(editor, reply).waitFor({ state: 'detached' });

      await press(first, 'Make It a Criterion…');
      await editor.answer('The last line of the list is named.');
      const toast = editor.page.locator('.notification-list-item', { hasText: 'is a criterion of median now' });
      await toast.waitFor(patience);
      await editor.screenshots('review-criterion');
      const id = 'the-last-line-of-the-list-is-named';
      expect(await kept()).toMatchObject([{ criterion: id }]);
      const rubric = join(root, '.coach', 'tasks', 'prepared', 'median', 'rubric.toml');
      expect(readFileSync(rubric, 'utf8')).toContain('text = "The last line of the list is named."');

      await toast.getByRole('button', { name: 'Regrade Run' }).click();
      // The judge needs a key, which this editor was never given.
      await editor.page.getByText('API Key: OPENAI_API_KEY').waitFor(patience);
      await editor.answer(key);
      await editor.page.getByText('Verdicts by the rubric as it is now').waitFor(patience);
      await editor.screenshots('review-regraded');
      const rows = await editor.page.locator('.quick-input-list .monaco-list-row').allInnerTexts();
      expect(rows.join('\n')).toMatch(/oracle #1: reward 1\.00 → 1\.00/);
      expect(rows.join('\n')).toMatch(/command #1: reward 0\.00 → 0\.00/);
      await editor.page.keyboard.press('Escape');
      expect(regradesOf(join(world.paths.home, 'coach.sqlite3'))).toEqual([
        { trial: oracle, criterion: id, after: 'met' },
        { trial: trials.find(({ agentLabel }) => agentLabel === 'command')?.id, criterion: id, after: 'unmet' },
      ]);
      expect(upstream.requests.map(({ headers }) => headers.authorization)).toContain(`Bearer ${key}`);

      await press(first, 'Delete Comment…');
      await editor.dialog('Delete');
      await expect.poll(kept, patience).toEqual([]);
      await editor.page.locator('.review-widget').waitFor({ state: 'detached' });
    },
    300 * seconds,
  );

  it(
    'that become a criterion while no judge is set say so, and so do the next run, its trials and judging them again',
    async () => {
      const { world, root } = await reviewedWorld();
      const editor = await openReview(tools, world, root, 'oracle #1');
      await writeComment(editor, 'The last line is named.');
      await press(commentRow(editor, 'The last line is named.'), 'Make It a Criterion…');
      await editor.answer('The last line of the list is named.');
      const toast = editor.page.locator('.notification-list-item', { hasText: 'no judge is set' });
      await toast.waitFor(patience);
      await editor.screenshots('review-criterion-no-judge');
      expect(await toast.getByRole('button', { name: 'Regrade Run' }).count()).toBe(0);
      await toast.getByRole('button', { name: 'Set a Judge…' }).click();
      await editor.page.locator('[data-key="codexCoach.judge.model"]').waitFor(patience);
      await editor.screenshot('review-judge-setting');
      await editor.page.keyboard.press('Escape');

      await editor.command('Codex Coach: Run Agents on Tasks…');
      await editor.pick('median');
      await editor.confirmPick();
      await editor.pick('oracle');
      await editor.confirmPick();
      await editor.answer('1');
      const dialog = editor.page.locator('.monaco-dialog-box');
      await dialog.getByText(/No judge is set.*: Median\./s).waitFor(patience);
      await editor.screenshot('run-confirm-no-judge');
      await editor.dialog('Start Run');

      const page = editor.webview();
      await page.locator('#trial-state', { hasText: 'Errored' }).waitFor({ timeout: 60 * seconds });
      await page.locator('#regrade').waitFor(patience);
      expect(await page.locator('#resume').count()).toBe(0);
      const fault = await page.locator('.detail .q').innerText();
      expect(fault).toContain('“Regrade…”');
      expect(fault).not.toContain('codex-coach');
      await editor.screenshots('run-no-judge');
      await page.locator('#regrade').click();
      await editor.dialog('Regrade');
      const words = 'No trial was judged: no judge is set.';
      const ended = editor.page.locator('.notification-list-item', { hasText: words });
      await ended.getByRole('button', { name: 'Set a Judge…' }).waitFor(patience);
      await editor.screenshot('run-regraded-no-judge');
    },
    300 * seconds,
  );
});

function commentRow(editor: Workbench, words: string): Locator {
  return editor.page.locator('.review-widget .review-comment', { hasText: words });
}

/** A button of a comment, which shows when one points at it. */
async function press(comment: Locator, name: string): Promise<void> {
  await comment.hover();
  await comment.getByRole('button', { name }).click();
}

async function answer(editor: Workbench, words: string): Promise<void> {
  const thread = editor.page.locator('.review-widget');
  await thread.getByRole('button', { name: 'Reply…' }).click();
  await editor.page.keyboard.type(words);
  await thread.getByRole('button', { name: /^Comment/ }).click();
  await commentRow(editor, words).waitFor();
}

/** What the database keeps of verdicts given anew, with each flip in a row of its own. */
function regradesOf(file: string): unknown[] {
  const database = new Database(file, { readonly: true });
  const rows = database
    .prepare(
      `SELECT r.trial_id AS trial, flip.value ->> '$.id' AS criterion, flip.value ->> '$.after' AS after
       FROM regrades r, json_each(r.regrade_json, '$.flips') flip ORDER BY r.trial_id`,
    )
    .all();
  database.close();
  return rows;
}
