import { execFileSync } from 'node:child_process';
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { remote } from '../../protocol/api.ts';
import { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import { server } from '../../protocol/server.ts';
import { connectToServer } from '../../server/connect.ts';
import { requireFeature } from '../require.ts';
import { aSampleRepository } from '../sampleRepository.ts';
import { provideCodex, type World } from '../world.ts';
import { anEditorWorld, sharedEditorTools } from './editorWorld.ts';

const canEdit = requireFeature('browser') && requireFeature('editor');
const canRunCodex = requireFeature('codex') && requireFeature('sandbox');
const seconds = 1000;

/** The packaged extension in a real workbench, with the real background server. */
describe.skipIf(!canEdit)('in the editor', () => {
  const tools = sharedEditorTools();

  it(
    'records a task from the palette',
    async () => {
      const world = anEditorWorld();
      const repository = await aSampleRepository();
      const editor = await tools.open(world, repository, { 'codexCoach.run.executor': 'local' });
      await editor.openSideBar();
      await editor.page.getByText('No task yet.').waitFor();
      await editor.page.getByText('No run yet.').waitFor();
      await editor.page.getByText('No session recorded yet.').waitFor();
      await editor.screenshot('editor-empty');

      appendFileSync(join(repository, 'src', 'amount.js'), '\n// Not finished.\n');
      await editor.command('Codex Coach: Check Whether a Task Can Be Recorded');
      await editor.page.getByText('Not ready to record a task').waitFor();
      await editor.screenshot('editor-readiness');
      await editor.pick('Run the Tests As They Are Now');
      await editor.page.getByText(/\d tests passed\./).waitFor();
      await editor.screenshot('editor-readiness-tests');
      await editor.page.keyboard.press('Escape');
      await editor.command('Codex Coach: Start Recording a Task…');
      await editor.answer('Refuse empty amounts');
      await editor.page.getByText('git stash push').waitFor();
      await editor.screenshot('editor-mend');
      await editor.dialog('Mend and Go On');
      await editor.statusBar('Refuse empty amounts').waitFor();
      await editor.screenshot('editor-recording');
      appendFileSync(join(repository, 'src', 'amount.js'), '\nexport const empty = 0;\n');
      await editor.command('Codex Coach: End Recording and Create the Task…');
      await editor.answer('By hand.');
      await editor.row('Tasks', 'Refuse empty amounts, created').waitFor();
      await editor.statusBar('Refuse empty amounts').waitFor({ state: 'detached' });
      const put = execFileSync('git', ['stash', 'list'], { cwd: repository, encoding: 'utf8' });
      expect(put).toContain('put aside before recording');
    },
    120 * seconds,
  );

  it(
    'outlives its server: comes back by itself, then explains and offers a restart',
    async () => {
      const world = anEditorWorld();
      const editor = await tools.open(world, await aSampleRepository());
      await editor.openSideBar();
      await editor.page.getByText('No task yet.').waitFor();
      const first = await editorsServer(world);

      await editor.page.reload();
      await editor.page.getByText('No task yet.').waitFor({ timeout: 60 * seconds });
      expect(await editorsServer(world), 'a reload of the window leaves the server alone').toBe(first);

      const patience = { timeout: 40 * seconds };
      let pid = first;
      for (let comeback = 1; comeback <= 4; comeback++) {
        process.kill(pid, 'SIGKILL');
        pid = await another(world, pid, patience.timeout);
        await editor.statusBar('Coach').waitFor();
      }
      process.kill(pid, 'SIGKILL');
      await editor.page.getByText('The background server is not running.').first().waitFor();
      await editor.screenshot('editor-server-down');
      await editor.page.getByRole('button', { name: 'Restart Background Server' }).first().click();
      await editor.page.getByText('No task yet.').waitFor();
      await expect.poll(() => editorsServer(world), patience).not.toBeOneOf([0, pid]);
    },
    180 * seconds,
  );

  it(
    'opens terminals in which agents are recorded',
    async () => {
      const world = anEditorWorld();
      const editor = await tools.open(world, await aSampleRepository());
      await editor.openSideBar();
      await editor.page.getByText('No session recorded yet.').waitFor();
      await editor.command('Codex Coach: Test the Recording Route');
      await editor.page.getByText('The recording route works').waitFor();
      await editor.screenshot('editor-route');
      await editor.page.keyboard.press('Escape');
      await editor.command('Codex Coach: Open Coached Terminal');
      const terminal = editor.page.locator('.xterm-rows');
      const patience = { timeout: 20 * seconds };
      await expect.poll(() => terminal.textContent(), patience).toMatch(/Agents started here are recorded.*[$#]/s);
      await editor.page.keyboard.type('echo "route=$HTTPS_PROXY"\n');
      await expect.poll(() => terminal.textContent(), patience).toMatch(/route=http:\/\/\S+@127\.0\.0\.1:\d/);
      await editor.screenshot('editor-terminal');
      await editor.statusBar('Coach').waitFor();
    },
    120 * seconds,
  );

  it.skipIf(!canRunCodex)(
    'runs agents on a task, live, and shows what they changed',
    async () => {
      const world = anEditorWorld({ COACH_EXECUTOR: 'local' });
      provideCodex(world);
      const demo = await world.cli(['demo']);
      expect(demo.stderr).toBe('');
      const [name = ''] = readdirSync(world.paths.workspaces).filter(entry => entry.startsWith('demo-'));
      const repository = join(world.paths.workspaces, name, 'sample');
      const editor = await tools.open(world, repository, { 'codexCoach.run.executor': 'local' });

      await editor.openSideBar();
      await editor.row('Tasks', /, proven$/).waitFor();
      await editor.row('Sessions', /codex/).first().waitFor();
      const finished = editor.row('Runs', /finished, reward 0\.67/);
      await finished.waitFor();
      await finished.locator('.monaco-tl-twistie').click();
      await editor.row('Runs', /^oracle #2, Passed 1\.00/).waitFor();
      await editor.screenshot('editor-trees');

      await editor.command('Codex Coach: Run Agents on Tasks…');
      await editor.confirmPick();
      await editor.page.getByText('Run Agents on Tasks (2/3): Agents').waitFor();
      await editor.confirmPick();
      await editor.page.getByPlaceholder('Nothing is ticked').waitFor();
      await editor.pick('Oracle', 'No-op', 'Codex CLI by replay…');
      await editor.page.getByText('3 Selected').waitFor();
      await editor.screenshot('editor-run-agents');
      await editor.confirmPick();
      await editor.pick('A recorded session…');
      await editor.pick(firstSessionRow);
      await editor.answer('3');
      await editor.page.locator('.monaco-dialog-box').waitFor();
      await editor.screenshot('editor-run-confirm');
      await editor.dialog('Start Run');

      const panel = editor.webview();
      const seen = await watch(panel.locator('body'));
      await panel.locator('#run-state', { hasText: 'Running' }).waitFor();
      await panel.locator('.cell[data-state="failed"]').first().waitFor();
      await panel.locator('.cell[data-state="agent"]').first().waitFor();
      await editor.screenshot('editor-run-live');
      await panel.locator('#run-state', { hasText: 'Finished' }).waitFor({ timeout: 90 * seconds });
      const { phases, tokens } = await seen();
      const unfinished = phases.filter(phase => ['queued', 'building', 'agent', 'verifying'].includes(phase));
      expect(unfinished.length, 'phases before the end').toBeGreaterThanOrEqual(3);
      expect(tokens.length, 'token figures before the end').toBeGreaterThanOrEqual(3);
      expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
      await editor.screenshot('editor-run-finished');
      await sameAsCommandLine(world, repository, panel.locator('body'));

      // Of the run whose page is in front: nothing is asked.
      await editor.command('Codex Coach: Open Run Report');
      await panel.getByRole('heading', { name: 'Run ' }).waitFor();
      await panel.getByText('oracle').first().waitFor();
      await editor.screenshot('editor-report');
      await editor.command('View: Close Editor');
      await panel.locator('#run-state').waitFor();

      await panel.locator('.cell[data-state="passed"]').first().click();
      await panel.locator('#review-diff:not([disabled])').click();
      const diff = editor.page.locator('.multiDiffEntry, .monaco-diff-editor').first();
      await diff.waitFor();
      await editor.page.getByText('allocate.js').first().waitFor();
      await editor.page.locator('.editor.modified .view-line', { hasText: 'export function allocate' }).waitFor();
      await editor.screenshot('editor-diff');

      await editor.row('Sessions', /codex/).first().click();
      await panel.locator('[data-row="x0"]').waitFor();
      await panel.locator('.said.prompt').first().waitFor();
      await editor.screenshot('editor-session');

      await editor.command('Codex Coach: Run Again…');
      await editor.pick(/finished/);
      await editor.dialog('Start Run');
      await panel.locator('#cancel').click();
      await editor.dialog('Cancel Run');
      await panel.locator('#run-state', { hasText: 'Cancelled' }).waitFor();
      await editor.row('Runs', /, cancelled/).waitFor();
      await editor.screenshot('editor-run-cancelled');

      // In a browser the workbench writes down its open tabs only every five seconds.
      await editor.page.waitForTimeout(6 * seconds);
      await editor.page.reload();
      await panel.locator('#run-state', { hasText: 'Cancelled' }).waitFor({ timeout: 60 * seconds });
    },
    300 * seconds,
  );
});

const firstSessionRow = /exchange|gpt|codex/i;

/** The process of the server that the editor is connected to, or 0: nothing here may start one. */
async function editorsServer({ paths, env }: World): Promise<number> {
  try {
    const connection = await connectToServer({ paths, env, client: 'test', program: null });
    const { pid, clients } = await remote(server, connection.channel).status({});
    connection.dispose();
    return clients > 1 ? pid : 0;
  } catch {
    return 0;
  }
}

/** The process of the editor's next server. */
async function another(world: World, before: number, timeoutMs: number): Promise<number> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; ) {
    const pid = await editorsServer(world);
    if (pid !== 0 && pid !== before) return pid;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error('The editor has no other server.');
}

/** Notes every state of a cell and every token figure that the page shows while the run goes on. */
async function watch(body: Locator): Promise<() => Promise<{ phases: string[]; tokens: number[] }>> {
  await body.locator('.cell').first().waitFor();
  await body.evaluate(element => {
    const seen = { phases: new Set<string>(), tokens: new Set<string>() };
    const look = () => {
      for (const cell of element.querySelectorAll('.cell')) seen.phases.add(cell.getAttribute('data-state') ?? '');
      if (element.querySelector('#run-state')?.textContent === 'Running') {
        seen.tokens.add(element.querySelector('[data-figure="Tokens"]')?.textContent ?? '');
      }
    };
    look();
    new MutationObserver(look).observe(element, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
    });
    Object.assign(window, { seen });
  });
  return () =>
    body.evaluate(() => {
      const { seen } = window as unknown as { seen: { phases: Set<string>; tokens: Set<string> } };
      const numbers = [...seen.tokens].map(text => Number.parseFloat(text) * (text.includes('k') ? 1000 : 1));
      return { phases: [...seen.phases], tokens: numbers.filter(Number.isFinite) };
    });
}

/** The trees and the panel show what `codex-coach … --json` says. */
async function sameAsCommandLine(world: World, repository: string, body: Locator): Promise<void> {
  const list = await world.cli(['runs', 'list', '--json', '--repository', repository]);
  const { rows } = z.object({ rows: z.array(RunSummary) }).parse(JSON.parse(list.stdout));
  const latest = rows[0];
  const shown = await world.cli(['runs', 'show', latest?.id ?? '', '--json']);
  const { trials } = z.object({ trials: z.array(TrialSummary) }).parse(JSON.parse(shown.stdout));
  expect(trials).toHaveLength(9);
  expect(
    await body
      .locator('.cell')
      .evaluateAll(cells => cells.map(cell => [cell.getAttribute('data-trial'), cell.textContent])),
  ).toEqual(inPlanOrder(trials).map(trial => [trial.id, trial.reward?.toFixed(2)]));
}

/** The plan's columns: agents in the order chosen, attempts within. */
function inPlanOrder(trials: readonly TrialSummary[]): TrialSummary[] {
  const agents = [...new Set(trials.map(trial => trial.agentLabel))];
  return agents.flatMap(agent => trials.filter(trial => trial.agentLabel === agent));
}
