import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { requireFeature } from '../require.ts';
import { aSampleRepository } from '../sampleRepository.ts';
import { temporaryDirectory } from '../temporary.ts';
import { userGit } from '../unit/git/aRepository.ts';
import { anEditorWorld, sharedEditorTools } from './editorWorld.ts';
import { Tour } from './tour.ts';
import { systemTheme } from './workbench.ts';

const canEdit = requireFeature('browser') && requireFeature('editor');
const canSandbox = requireFeature('sandbox');
const seconds = 1000;

/** A person's way from nothing to a first judged run, without key, Docker and network. */
describe.skipIf(!canEdit)('the first steps in the editor', () => {
  const tools = sharedEditorTools();

  it.skipIf(!canSandbox)(
    'go from a commit over a proven task to a run, with the walkthrough following',
    async () => {
      const world = anEditorWorld();
      const repository = await aSampleRepository();
      const editor = await tools.open(world, repository, { ...systemTheme, 'codexCoach.run.executor': 'local' });
      const { page } = editor;
      await editor.command('Codex Coach: Get Started');
      await page.locator('h2', { hasText: 'Get Started with Codex Coach' }).waitFor();
      await editor.openSideBar();
      await page.getByText('No task yet.').waitFor();
      await expect.poll(() => stepsDone(editor.page), { timeout: 30 * seconds }).toContain('sample');
      const tour = new Tour(editor, tourBeginning);
      await tour.stop('walkthrough-begin', 'Get started', tourTexts.begin);

      await editor.command('Codex Coach: Create Task from Commit…');
      await editor.answer('HEAD');
      const task = editor.row('Tasks', /Refuse fractions of a cent.*, created/);
      await task.waitFor({ timeout: 60 * seconds });
      await task.hover();
      await task.getByRole('button', { name: 'Prepare Task' }).click();
      const prepared = editor.row('Tasks', /Refuse fractions of a cent.*, prepared/);
      await prepared.waitFor({ timeout: 60 * seconds });
      await prepared.hover();
      await prepared.getByRole('button', { name: 'Validate Task' }).click();
      await editor.row('Tasks', /Refuse fractions of a cent.*, validating…/).waitFor();
      await editor.screenshot('task-validating');
      await editor.row('Tasks', /Refuse fractions of a cent.*, proven/).waitFor({ timeout: 240 * seconds });
      await expect.poll(() => stepsDone(editor.page), { timeout: 30 * seconds }).toContain('proven');
      await tour.stop('tasks-proven', 'Make a task, and prove it', tourTexts.proven);

      const checkbox = editor.row('Tasks', /Refuse fractions/).locator('[role="checkbox"], .monaco-custom-toggle');
      await checkbox.first().click();
      await page.getByText('1 checked').waitFor();
      await editor.command('Codex Coach: Run Checked Tasks…');
      await editor.page.getByText('Run Agents on Tasks (2/3): Agents').waitFor();
      await tour.stop('run-agents', 'Choose agents', tourTexts.agents);
      await editor.pick('Oracle', 'No-op');
      await editor.confirmPick();
      await editor.answer('2');
      await editor.dialog('Start Run');
      const run = editor.row('Runs', /finished, reward 0\.50/);
      await run.waitFor({ timeout: 180 * seconds });
      await run.locator('.monaco-tl-twistie').click();
      await editor.row('Runs', /^oracle #2, Passed 1\.00/).waitFor();
      await editor.row('Runs', /^nop #1, Failed 0\.00/).waitFor();
      await editor.webview().locator('#run-state', { hasText: 'Finished' }).waitFor();
      await editor.command('Notifications: Clear All Notifications');
      await tour.stop('runs-open', 'See what came out', tourTexts.runs);

      await editor.command('Codex Coach: Get Started');
      await expect
        .poll(() => stepsDone(editor.page), { timeout: 30 * seconds })
        .toEqual(expect.arrayContaining(['sample', 'task', 'proven', 'run', 'review']));
      await tour.stop('walkthrough-done', 'Where to go from here', tourTexts.done);
      tour.end();
      await editor.screenshots('first-steps');

      const later = await tools.open(world, repository);
      await later.openSideBar();
      const shown = later.row('Runs', /finished, reward 0\.50/);
      await shown.waitFor({ timeout: 60 * seconds });
      await shown.locator('.monaco-tl-twistie').click();
      await later.row('Runs', /^nop #1, Failed 0\.00/).waitFor();
      await later.command('Codex Coach: Get Started');
      await later.page.locator('h2', { hasText: 'Get Started with Codex Coach' }).waitFor();
      await expect
        .poll(() => stepsDone(later.page), { timeout: 30 * seconds })
        .toEqual(expect.arrayContaining(['sample', 'task', 'proven', 'run']));
    },
    900 * seconds,
  );

  it(
    'lead from a plain folder to a repository with a commit, noticed whoever makes it, and to a walkthrough that knows of it',
    async () => {
      const folder = temporaryDirectory();
      writeFileSync(join(folder, 'sum.js'), 'export const sum = (a, b) => a + b;\n');
      const editor = await tools.open(anEditorWorld(), folder, systemTheme);
      const { page } = editor;
      await editor.openSideBar();
      const next = nextActions(page, 'Tasks');
      await next('Initialize Repository').waitFor({ timeout: 60 * seconds });
      await nextActions(page, 'Runs')('Initialize Repository').waitFor();
      await editor.screenshots('no-repository');

      await editor.command('Codex Coach: Start Recording a Task…');
      await page.locator('.notification-toast', { hasText: 'is not in a git repository' }).waitFor();
      expect(await page.locator('.quick-input-widget').isVisible()).toBe(false);
      await editor.screenshot('no-repository-recording');
      await editor.command('Notifications: Clear All Notifications');
      await editor.command('Codex Coach: Check Whether a Task Can Be Recorded');
      const choice = (text: string) => page.locator('.quick-input-list .monaco-list-row', { hasText: text });
      await choice('Initialize Repository').waitFor();
      await editor.screenshots('no-repository-check');
      await page.keyboard.press('Escape');

      await next('Initialize Repository').click();
      await next('Make the First Commit…').waitFor({ timeout: 30 * seconds });
      expect(existsSync(join(folder, '.git', 'HEAD'))).toBe(true);
      await editor.screenshots('no-commit');
      await editor.command('Codex Coach: Create Task from Commit…');
      await page.locator('.notification-toast', { hasText: 'has none yet' }).waitFor();
      await page.locator('.notification-toast').getByRole('button', { name: 'Make the First Commit' }).click();
      await page.locator('.scm-view').first().waitFor();
      await editor.screenshot('no-commit-source-control');

      rmSync(join(folder, '.git'), { recursive: true });
      await editor.openSideBar();
      await next('Initialize Repository').waitFor({ timeout: 30 * seconds });
      userGit(folder, 'init', '--quiet');
      await next('Make the First Commit…').waitFor({ timeout: 30 * seconds });
      userGit(folder, 'add', '--all');
      userGit(folder, 'commit', '--quiet', '--message', 'Add up');
      await next('Start Recording a Task…').waitFor({ timeout: 30 * seconds });

      await nextActions(page, 'Runs')('Start Recording a Task…').waitFor();
      await editor.screenshots('one-commit');
      await editor.command('Codex Coach: Create Task from Commit…');
      await editor.answer('HAED');
      const box = page.locator('.quick-input-widget');
      await box.getByText('HAED is no commit').waitFor();
      expect(await box.locator('input.input').first().inputValue()).toBe('HAED');
      await editor.screenshots('refused-commit');
      await editor.answer('HEAD');
      const first = page.locator('.notification-toast', { hasText: 'first commit of its history' });
      await first.getByRole('button', { name: 'Start Recording a Task' }).waitFor();
      await editor.screenshot('first-commit-only');
      await editor.command('Notifications: Clear All Notifications');

      writeFileSync(join(folder, 'sum.js'), 'export const sum = (...all) => all.reduce((a, b) => a + b, 0);\n');
      userGit(folder, 'commit', '--quiet', '--all', '--message', 'Add up any number of them');
      await editor.command('Codex Coach: Create Task from Commit…');
      await editor.answer('HEAD');
      await editor.row('Tasks', /Add up any number of them, created/).waitFor({ timeout: 60 * seconds });
      await editor.command('Codex Coach: Get Started');
      await page.locator('h2', { hasText: 'Get Started with Codex Coach' }).waitFor();
      await expect.poll(() => stepsDone(page), { timeout: 30 * seconds }).toEqual(['sample', 'task']);
      await editor.screenshots('walkthrough-late');
    },
    300 * seconds,
  );

  it(
    'lead on in an editor whose own git is turned off',
    async () => {
      const folder = temporaryDirectory();
      const editor = await tools.open(anEditorWorld(), folder, { 'git.enabled': false });
      await editor.openSideBar();
      const next = nextActions(editor.page, 'Tasks');
      await next('Initialize Repository').click({ timeout: 60 * seconds });
      await editor.page.locator('.notification-toast', { hasText: 'git init' }).waitFor();
      await editor.screenshot('no-repository-no-git');
      userGit(folder, 'init', '--quiet');
      await next('Make the First Commit…').waitFor({ timeout: 30 * seconds });
      userGit(folder, 'commit', '--quiet', '--allow-empty', '--message', 'Begin');
      await next('Start Recording a Task…').waitFor({ timeout: 30 * seconds });
    },
    120 * seconds,
  );

  it(
    'shows the time of a recording, and what can be done, at the status bar',
    async () => {
      const world = anEditorWorld();
      const repository = await aSampleRepository();
      const editor = await tools.open(world, repository, systemTheme);
      await editor.openSideBar();
      await editor.page.getByText('No task yet.').waitFor();
      writeFileSync(join(repository, 'README.md'), 'Half done.\n');
      await editor.command('Codex Coach: Start Recording a Task…');
      await editor.answer('Refuse empty amounts');
      await editor.dialog('Mend and Go On');
      await editor.statusBar(/Refuse empty amounts 0:0[2-9]/).waitFor();
      await nextActions(editor.page, 'Tasks')('End Recording and Create the Task…').click();
      const toast = (text: string) => editor.page.locator('.notification-toast', { hasText: text });
      await toast('Nothing has changed').getByRole('button', { name: 'Discard Recording' }).waitFor();
      await editor.screenshots('recording-empty-view');
      await editor.command('Notifications: Clear All Notifications');
      await editor.statusBar(/Refuse empty amounts/).click();
      await editor.page.locator('.quick-input-list .monaco-list-row', { hasText: 'End Recording' }).waitFor();
      await editor.screenshot('status-actions');
      appendFileSync(join(repository, 'src', 'amount.js'), '\nexport const empty = 0;\n');
      await editor.pick('End Recording and Create the Task…');
      await editor.answer('By hand.');
      const created = editor.row('Tasks', /Refuse empty amounts, created/);
      await created.waitFor();
      await toast('still wait in the stash').getByRole('button', { name: 'Pop Stash…' }).waitFor();
      await toast('The change has no tests').getByRole('button', { name: 'Edit Task' }).waitFor();
      await editor.screenshots('recording-ended');
      await toast('The change has no tests').getByRole('button', { name: 'Prepare Task' }).click();
      await toast('nothing could judge a solution').getByRole('button', { name: 'Edit Task' }).waitFor();
      await editor.screenshot('prepare-without-tests');
      await editor.statusBar('Refuse empty amounts').waitFor({ state: 'detached' });
    },
    120 * seconds,
  );

  it(
    'lets traces be looked at in a workspace that is not trusted, and runs nothing there',
    async () => {
      const world = anEditorWorld();
      const repository = await aSampleRepository();
      const marker = join(temporaryDirectory(), 'ran');
      // What a hostile repository would have git run for it.
      execFileSync('git', ['config', 'core.fsmonitor', `touch ${marker}`], { cwd: repository });
      const editor = await tools.open(world, repository, { 'security.workspace.trust.enabled': true });
      await editor.openSideBar();
      await editor.page.getByText('This workspace is not trusted.').first().waitFor();
      await editor.page.getByText('Agents can be recorded once this workspace is trusted.').waitFor();
      await editor.screenshot('untrusted');
      expect(existsSync(marker)).toBe(false);
    },
    120 * seconds,
  );
});

const tourBeginning = `# The first ten minutes

From nothing to a first judged run in the editor: without a key, without Docker, without network. The way below is the one
that \`test/e2e/firstSteps.test.ts\` goes in a real workbench; it fails when a picture shows something else than it sees.`;

const tourTexts = {
  begin: `Press F1 and choose **Codex Coach: Get Started**. The steps complete by what happens, not by clicks: with a folder
that holds a git repository, the first is done. **Open Sample Project** makes one.`,
  proven: `**Codex Coach: Create Task from Commit…** with \`HEAD\`: what the commit changed becomes the solution, the state before it
the start. **Prepare Task** seals it, so that no trace of the solution is left where an agent could look. **Validate Task**
runs it in sandboxes: the solution earns 1, doing nothing earns 0, and neither do agents that cheat.`,
  agents: `Check the task in the view and choose **Codex Coach: Run Checked Tasks…**. Two of the agents need no model: *Oracle* applies
the solution, *No-op* does nothing. With a key or a login the others are a choice away.`,
  runs: `Two attempts of each, in the local sandbox: the oracle passes, the no-op fails, the run's mean is 0.50. The page shows each
trial as it happens, with its events, tests and diff; **Review Diff** opens what an agent changed.`,
  done: `The steps that are left need an agent of your own: open a coached terminal, work as always, and save the session as a task
when the agent ends.`,
};

/** The buttons of an empty view. */
function nextActions(page: Page, view: string): (name: string) => Locator {
  const pane = page.locator('.pane', { has: page.locator('.pane-header', { hasText: view }) });
  return name => pane.locator('.welcome-view-content').getByRole('button', { name });
}

function stepsDone(page: Page): Promise<string[]> {
  return page
    .locator('.getting-started-step')
    .evaluateAll(steps =>
      steps.flatMap(step =>
        step.querySelector('.codicon-getting-started-step-checked.complete, .complete') === null
          ? []
          : [step.getAttribute('data-step-id')?.split('#').at(-1) ?? ''],
      ),
    );
}
