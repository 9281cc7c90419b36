import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { ReviewComment } from '../../protocol/reviews.ts';
import type { TrialSummary } from '../../protocol/runs.ts';
import { solutionLine, startFiles, writeRepository } from '../integration/benchFixture.ts';
import { runGit } from '../integration/executorsFixture.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, type World } from '../world.ts';
import { type EditorTools, sharedEditorTools } from './editorWorld.ts';
import type { Workbench } from './workbench.ts';

const canReview = requireFeature('browser') && requireFeature('editor') && requireFeature('sandbox');
const seconds = 1000;
const patience = { timeout: 30_000 };

const list = (changed: Readonly<Record<number, string>> = {}): string =>
  Array.from({ length: 30 }, (_, index) => `// ${changed[index + 1] ?? `line ${index + 1}`}\n`).join('');
const solved = { 2: 'second', 14: 'fourteenth', 28: 'twenty-eighth' };
/** Fails the hidden test at a line of its own. */
const failing = `sh -c "sed -i s/line.2$/two/ src/list.js && echo 'exports.median = list => list.first.value;' > src/median.js"`;

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
      await editor.screenshot('review-changes');

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
      await editor.screenshot('review-decided');

      await editor.command('Codex Coach: Apply Accepted Changes…');
      await editor.page.locator('.bulk-edit-panel').getByText('list.js').first().waitFor();
      // Rows of files that have moved on are to be ticked; the tree has the focus.
      await editor.page.keyboard.press('Home');
      await editor.page.keyboard.press('Space');
      await editor.page.locator('.bulk-edit-panel [role=checkbox][aria-checked=true]').first().waitFor();
      await editor.screenshot('review-preview');
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
      await editor.screenshot('review-failures');

      await editor.command('Codex Coach: Accept All Changes');
      await editor.command('Codex Coach: Apply Accepted Changes…');
      await editor.page.locator('.monaco-dialog-box', { hasText: 'conflict' }).waitFor();
      await editor.screenshot('review-conflict');
      await editor.dialog('Resolve in Merge Editor');
      await editor.page.locator('.merge-editor').waitFor();
      await editor.page.locator('.merge-editor .view-line', { hasText: 'mine' }).first().waitFor();
      await editor.screenshot('review-merge-editor');
      expect(readFileSync(join(root, 'src', 'list.js'), 'utf8'), 'left as it is').toBe(list({ 2: 'mine' }));
      await expect
        .poll(() => readFileSync(join(root, 'src', 'median.js'), 'utf8'), patience)
        .toContain('list.first.value');
    },
    300 * seconds,
  );
});

interface ReviewedWorld {
  readonly world: World;
  readonly root: string;
  readonly trials: readonly TrialSummary[];
}

/** A run of the reference and of an agent that fails, on a task of three hunks and a new file. */
async function reviewedWorld(): Promise<ReviewedWorld> {
  const world = aWorld({ COACH_EXECUTOR: 'local', COACH_IDLE_SECS: '30' });
  const root = join(temporaryDirectory(), 'numbers');
  const start = { ...startFiles, 'src/list.js': list() };
  writeRepository(root, { start, solution: solutionOf(start) });
  writeFileSync(join(root, 'src', 'list.js'), list());
  runGit(root, 'add', 'src');
  runGit(root, 'commit', '--quiet', '--message', 'List');
  const run = ['run', 'median', '--agent', 'oracle', 'command', '--command', failing, '--unproven'];
  const { code, stdout, stderr } = await world.cli([...run, '--executor', 'local', '--yes', '--json'], { cwd: root });
  expect([0, 1], `${stdout}\n${stderr}`).toContain(code);
  return { world, root, trials: (JSON.parse(stdout) as { trials: TrialSummary[] }).trials };
}

function solutionOf(start: Readonly<Record<string, string>>): string {
  const scratch = join(temporaryDirectory(), 'solved');
  mkdirSync(join(scratch, 'src'), { recursive: true });
  runGit(scratch, 'init', '--quiet');
  writeFileSync(join(scratch, 'src', 'list.js'), start['src/list.js'] ?? '');
  runGit(scratch, 'add', '--all');
  writeFileSync(join(scratch, 'src', 'list.js'), list(solved));
  writeFileSync(join(scratch, 'src', 'median.js'), `${solutionLine}\n`);
  runGit(scratch, 'add', '--intent-to-add', '--all');
  return runGit(scratch, 'diff');
}

async function openReview(tools: EditorTools, world: World, root: string, trial: string): Promise<Workbench> {
  const editor = await tools.open(world, root, { 'diffEditor.codeLens': true });
  await editor.openSideBar();
  await editor.command('Codex Coach: Review Diff');
  await editor.pick(/median/);
  await editor.pick(trial);
  await editor.page.locator('.multiDiffEntry').first().waitFor();
  return editor;
}

/** What git would commit of the files now. */
function treeOf(root: string): string {
  runGit(root, 'add', '--all', '--', '.', ':!.coach');
  return runGit(root, 'write-tree');
}

const reviewRow = (editor: Workbench, name: string | RegExp): Locator =>
  editor.page.getByRole('tree', { name: 'Review' }).getByRole('treeitem', { name });

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
  await reviewRow(editor, /^list\.js/).click();
  await editor.page.locator('.editor.modified .view-line', { hasText: 'fourteenth' }).first().click();
  await editor.command('Comments: Add Comment on Current Selection');
  const words = 'Is *this* <b>the</b> [name](command:x)?';
  await editor.page.locator('.review-widget .comment-form .monaco-editor').first().click();
  await editor.page.keyboard.type(words);
  await editor.screenshot('review-commenting');
  await editor.page
    .locator('.review-widget')
    .getByRole('button', { name: /^Comment/ })
    .first()
    .click();
  const comments = async () => {
    const { stdout } = await world.cli(['review', 'comment', 'list', trial, '--json']);
    return (JSON.parse(stdout) as { rows: ReviewComment[] }).rows;
  };
  await expect.poll(comments, patience).toMatchObject([{ text: words, file: 'src/list.js', line: 14, side: 'agent' }]);
  await editor.page.locator('.review-widget .comment-body').getByText(words).waitFor();
  await editor.screenshot('review-comment');
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
  await editor.page.locator('.editor.modified .view-line', { hasText: 'two' }).first().waitFor();
  await editor.screenshot('review-beside');
}
