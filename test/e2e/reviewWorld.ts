import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { expect } from 'vitest';
import type { ReviewComment } from '../../protocol/reviews.ts';
import type { TrialSummary } from '../../protocol/runs.ts';
import { solutionLine, startFiles, writeRepository } from '../integration/benchFixture.ts';
import { runGit } from '../integration/executorsFixture.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, type World } from '../world.ts';
import type { EditorTools } from './editorWorld.ts';
import { systemTheme, type Workbench } from './workbench.ts';

export const list = (changed: Readonly<Record<number, string>> = {}): string =>
  Array.from({ length: 30 }, (_, index) => `// ${changed[index + 1] ?? `line ${index + 1}`}\n`).join('');
const solved = { 2: 'second', 14: 'fourteenth', 28: 'twenty-eighth' };
/** What an agent may write to be more than text where it is shown. */
export const markup = '<b>two</b>';
/** Fails the hidden test at a line of its own. */
const failing = `sh -c "sed -i 's|line.2$|${markup}|' src/list.js && echo 'exports.median = list => list.first.value;' > src/median.js"`;

export interface ReviewedWorld {
  readonly world: World;
  readonly root: string;
  readonly trials: readonly TrialSummary[];
}

/** A run of the reference and of an agent that fails, on a task of three hunks and a new file. */
export async function reviewedWorld(env: NodeJS.ProcessEnv = {}): Promise<ReviewedWorld> {
  const world = aWorld({ COACH_EXECUTOR: 'local', COACH_IDLE_SECS: '30', ...env });
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

export async function openReview(tools: EditorTools, world: World, root: string, trial: string): Promise<Workbench> {
  const editor = await tools.open(world, root, { ...systemTheme, 'diffEditor.codeLens': true });
  await editor.openSideBar();
  await editor.command('Codex Coach: Review Diff');
  await editor.pick(/median/);
  await editor.pick(trial);
  await editor.page.locator('.multiDiffEntry').first().waitFor();
  return editor;
}

export const reviewRow = (editor: Workbench, name: string | RegExp): Locator =>
  editor.page.getByRole('tree', { name: 'Review' }).getByRole('treeitem', { name });

/** The comments on a trial as they are kept. */
export async function commentsOf(world: World, trialId: string): Promise<ReviewComment[]> {
  const { stdout } = await world.cli(['review', 'comment', 'list', trialId, '--json']);
  return (JSON.parse(stdout) as { rows: ReviewComment[] }).rows;
}

/** Writes a comment on the fourteenth line of the list, as a person does. */
export async function writeComment(editor: Workbench, words: string, picture?: string): Promise<void> {
  await reviewRow(editor, /^list\.js/).click();
  // The row leads to the file's own diff and its first change; a place that is chosen before would not stay so.
  await editor.page.locator('.tab.active', { hasText: 'list.js' }).waitFor();
  await editor.statusBar(/Ln 2,/).waitFor();
  await editor.page.locator('.editor.modified .view-line', { hasText: 'fourteenth' }).first().click();
  await editor.statusBar(/Ln 14,/).waitFor();
  await editor.command('Comments: Add Comment on Current Selection');
  await editor.page.locator('.review-widget .comment-form .monaco-editor').first().click();
  await editor.page.keyboard.type(words);
  if (picture !== undefined) await editor.screenshot(picture);
  await editor.page
    .locator('.review-widget')
    .getByRole('button', { name: /^Comment/ })
    .first()
    .click();
  await editor.page.locator('.review-widget .comment-body').getByText(words).waitFor();
}
