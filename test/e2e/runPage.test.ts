import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { publish, serve } from '../../protocol/api.ts';
import { toCount } from '../../protocol/figures.ts';
import { runPage, serverLink } from '../../protocol/pages.ts';
import { type Regrade, type RunEvent, type RunSummary, runs, type TrialSummary } from '../../protocol/runs.ts';
import { trialState } from '../../protocol/trialState.ts';
import { totalTokens } from '../../protocol/usage.ts';
import { aRun, aTrial, ScriptedRun } from '../fakes/scriptedRun.ts';
import { requireFeature } from '../require.ts';
import { sharedBrowser } from './chromium.ts';
import { readOut } from './pages/audit.ts';
import { absentRuns } from './pages/compareHost.ts';
import { loadPage, type OpenPage, openPage } from './pages/pageHost.ts';
import type { Theme } from './pages/theme.ts';
import { screenshots } from './workbench.ts';

interface OpenRun extends OpenPage {
  readonly script: ScriptedRun;
  /** What the page asked the editor to do. */
  readonly asked: string[];
  /** What each trial has left so far. */
  readonly files: { path: string; sizeBytes: number }[];
}

describe.skipIf(!requireFeature('browser'))('the run page', () => {
  const browser = sharedBrowser();

  async function openRun(
    run: Partial<RunSummary> = {},
    view: { theme?: Theme; width?: number; height?: number } = {},
    more: { regrades?: Regrade[] } = {},
  ): Promise<OpenRun> {
    const { theme = 'dark', width = 1200, height = 900 } = view;
    const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce' });
    onTestFinished(() => context.close());
    const opened = await openPage(context, { page: 'run', facts: { runId: 'run-1' }, theme });
    const { channel } = opened;
    const script = new ScriptedRun(aRun(run), {
      changed: changed => publish(runs, channel, 'changed', changed),
      trialChanged: trial => publish(runs, channel, 'trialChanged', trial),
      progress: event => publish(runs, channel, 'progress', event),
    });
    const asked: string[] = [];
    const files = [
      { path: 'agent/stdout.jsonl', sizeBytes: 4_000 },
      { path: 'agent/trajectory.json', sizeBytes: 212_000 },
    ];
    const done = (what: string) => {
      asked.push(what);
      return { done: true };
    };
    serve(
      runs,
      {
        ...absentRuns,
        show: () => ({ run: script.run, trials: script.trials, ...more }),
        events: ({ after, limit }) => ({ events: script.journal.filter(event => event.seq > after).slice(0, limit) }),
      },
      channel,
    );
    serve(
      runPage,
      {
        artifacts: () => ({ rows: files }),
        openArtifact: ({ trialId, path }) => done(`openArtifact ${trialId} ${path}`),
        reviewDiff: ({ trialId }) => done(`reviewDiff ${trialId}`),
        openReport: () => done('openReport'),
        openSession: ({ sessionId }) => done(`openSession ${sessionId}`),
        cancel: () => done('cancel'),
        resume: () => done('resume'),
        regrade: () => done('regrade'),
        openJudgeSetting: () => done('openJudgeSetting'),
        openComparison: () => done('openComparison'),
        tail: ({ path }) => {
          const text = `${path} says ${script.journal.length}\n`;
          return { text, sizeBytes: text.length };
        },
      },
      channel,
    );
    return { ...opened, script, asked, files };
  }

  const cell = (page: Page, trialId: string) => page.locator(`.cell[data-trial="${trialId}"]`);
  const figure = (page: Page, name: string) => page.locator(`[data-figure="${name}"]`);
  const play = async (script: ScriptedRun) => {
    while (script.step()) await new Promise(resolve => setTimeout(resolve, 5));
  };

  it('follows a run live: phases in order, rising tokens, verdicts', async () => {
    const { page, script, complaints, remembered } = await openRun();
    await loadPage(page);
    await page.locator('#run-state', { hasText: 'Running' }).waitFor();
    const first = cell(page, 'run-1.add-median.codex.1');
    const phases = [await first.getAttribute('data-state')];
    const tokens: string[] = [];
    while (script.trials[0]?.phase !== 'done') {
      script.step();
      await expect.poll(() => first.getAttribute('data-state')).toBe(stateOf(script));
      await expect.poll(() => figure(page, 'Tokens').textContent()).toBe(toCount(totalTokens(script.run.usage)));
      const phase = await first.getAttribute('data-state');
      if (phase !== phases.at(-1)) phases.push(phase);
      const shown = (await figure(page, 'Tokens').textContent()) ?? '';
      if (shown !== tokens.at(-1)) tokens.push(shown);
    }
    expect(phases).toEqual(['queued', 'building', 'agent', 'verifying', 'passed']);
    expect(tokens).toEqual(['–', '4.2 k', '8.3 k', '12.5 k', '16.6 k']);
    await page.screenshot({ path: shot('page-run-live') });
    await play(script);
    await page.locator('#run-state', { hasText: 'Finished' }).waitFor();
    expect(await page.locator('.cell').evaluateAll(cells => cells.map(found => found.textContent))).toEqual([
      '1.00',
      '1.00',
      '1.00',
      '1.00',
      '0.00',
      '0.00',
    ]);
    expect(remembered()).toMatchObject({ runId: 'run-1' });
    expect(complaints).toEqual([]);
  });

  it('comes back to the trial that was chosen, scrolled as far', async () => {
    const { page, script, remembered } = await openRun({}, { height: 300 });
    await play(script);
    await loadPage(page);
    await page.locator('#run-state', { hasText: 'Finished' }).waitFor();
    const last = cell(page, 'run-1.add-median.nop.2');
    await last.click();
    await page.evaluate(() => scrollTo(0, 400));
    const left = { runId: 'run-1', trialId: 'run-1.add-median.nop.2', scrollPx: 400 };
    await expect.poll(remembered).toEqual(left);
    await page.reload();
    await expect.poll(() => last.getAttribute('aria-current')).toBe('true');
    await expect.poll(() => page.evaluate(() => scrollY)).toBe(400);
    expect(remembered()).toEqual(left);
  });

  it('shows the same when it is opened late', async () => {
    const { page, script } = await openRun();
    await play(script);
    await loadPage(page);
    await page.locator('#run-state', { hasText: 'Finished' }).waitFor();
    await expect.poll(() => page.locator('#event-list .ev').count()).toBe(8);
    expect(await figure(page, 'Tokens').textContent()).toBe('33.3 k');
    expect(await figure(page, 'Mean reward').textContent()).toBe('0.67');
  });

  it('shows the chosen trial with its tests and what is expected of each', async () => {
    const { page, script, asked } = await openRun();
    await play(script);
    await loadPage(page);
    await cell(page, 'run-1.add-median.nop.2').click();
    const detail = page.locator('.detail');
    await detail.getByText('nop · attempt 2 · proven task').waitFor();
    const rows = await detail.locator('.tr').evaluateAll(found => found.map(row => row.textContent));
    expect(rows[0]).toBe('Failedtest/stats.test.js >median of an even number of valuesmust now pass');
    expect(rows[1]).toContain('must still pass');
    await detail.getByText('TypeError: median is not a function').waitFor();
    expect(await detail.locator('#review-diff').getAttribute('disabled')).toBe('');

    await cell(page, 'run-1.add-median.oracle.1').click();
    await detail.locator('#review-diff:not([disabled])').click();
    await detail.getByText('agent/trajectory.json').click();
    await page.locator('#report').click();
    await expect
      .poll(() => asked)
      .toEqual([
        'reviewDiff run-1.add-median.oracle.1',
        'openArtifact run-1.add-median.oracle.1 agent/trajectory.json',
        'openReport',
      ]);
  });

  it('lists the files that are written after the end of a trial was told', async () => {
    const { page, script, channel, files } = await openRun();
    await play(script);
    await loadPage(page);
    await page.locator('#run-state', { hasText: 'Finished' }).waitFor();
    await page.locator('#artifacts', { hasText: 'trajectory.json' }).waitFor();
    files.push({ path: 'result.json', sizeBytes: 2_000 });
    publish(runs, channel, 'changed', script.run);
    await page.locator('#artifacts', { hasText: 'result.json' }).waitFor();
  });

  it('can be used with the keyboard alone', async () => {
    const { page, script } = await openRun();
    await play(script);
    await loadPage(page);
    await cell(page, 'run-1.add-median.codex.1').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('.detail').getByText('attempt 2').waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-trial'))).toBe(
      'run-1.add-median.codex.2',
    );
  });

  it('shows what an agent printed as text, whatever it is', async () => {
    const hostile = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
    const { page, script, complaints } = await openRun({ tasks: [hostile] });
    script.step();
    await loadPage(page);
    await page.locator('h1').getByText('<img src=x').waitFor();
    expect(await page.locator('img, body script').count()).toBe(0);
    expect(await page.title()).not.toBe('owned');
    expect(complaints).toEqual([]);
  });

  it('says that the server is gone, offers to restart it, and catches up afterwards', async () => {
    const { page, channel, script, restarts } = await openRun();
    await loadPage(page);
    await page.locator('#run-state', { hasText: 'Running' }).waitFor();
    publish(serverLink, channel, 'changed', { state: 'down' });
    await page.getByText('The background server is not running.').waitFor();
    await page.screenshot({ path: shot('page-run-server-down') });
    await page.locator('vscode-button', { hasText: 'Restart' }).click();
    await expect.poll(restarts).toBe(1);
    while (script.trials[0]?.phase !== 'done') script.step();
    publish(serverLink, channel, 'changed', { state: 'up' });
    await page.getByText('The background server is not running.').waitFor({ state: 'detached' });
    await page.locator('#event-list').getByText('Passed, reward 1.00').waitFor();
  });

  it('shows exactly the journal, also after a reload, a gap and another server', async () => {
    const { page, script, channel } = await openRun();
    await loadPage(page);
    await page.locator('#run-state', { hasText: 'Running' }).waitFor();
    const first = script.trials[0]?.id ?? '';
    await cell(page, first).click();
    const shown = () =>
      page.locator('#event-list .ev').evaluateAll(rows => rows.map(row => Number((row as HTMLElement).dataset['seq'])));
    const wanted = () =>
      script.journal.filter(event => event.trialId === first && event.kind !== 'usage').map(event => event.seq);
    for (let step = 0; step < 3; step++) script.step();
    await expect.poll(shown).toEqual(wanted());
    publish(serverLink, channel, 'changed', { state: 'starting' });
    const lost = { ...talk, seq: script.journal.length + 1, trialId: first };
    script.journal.push(lost);
    publish(serverLink, channel, 'changed', { state: 'up' });
    await expect.poll(shown).toEqual(wanted());
    const unheard = { ...talk, seq: script.journal.length + 1, trialId: first };
    const heard = { ...talk, seq: script.journal.length + 2, trialId: first };
    script.journal.push(unheard, heard);
    publish(runs, channel, 'progress', heard);
    publish(runs, channel, 'progress', lost);
    await expect.poll(shown).toEqual(wanted());
    await play(script);
    await page.reload();
    await cell(page, first).click();
    await expect.poll(shown).toEqual(wanted());
    expect(wanted().length).toBeGreaterThan(8);
  });

  it('shows flags, logs, limits and what was judged anew, and offers what can be done now', async () => {
    const limits = { timeoutSec: 600, maxTokens: 100_000, maxUsd: 2 };
    const regrades: Regrade[] = [
      {
        trialId: 'run-1.add-median.codex.1',
        at: '2026-11-21T12:00:00.000Z',
        before: 1,
        after: 0.5,
        tests: [],
        flips: [],
        error: null,
      },
    ];
    const { page, script, asked } = await openRun({ limits }, {}, { regrades });
    await play(script);
    const [first] = script.trials;
    const flags = [{ kind: 'testEdit' as const, evidence: '-  assert(\u001b[31mtrue)', place: 'diff.patch:3' }];
    const broken = { code: 'sandbox.failed' as const, message: 'The sandbox broke.', hint: null };
    script.trials[0] = { ...(first ?? aTrial()), flags, sessionId: 'session-1', tries: 2 };
    script.trials[3] = { ...(script.trials[3] ?? aTrial()), end: 'errored', reward: null, error: broken };
    await loadPage(page);
    const detail = page.locator('.detail');
    await detail.getByText('The agent changed existing tests.').waitFor();
    await detail.getByText('␛[31mtrue').waitFor();
    await detail.getByText('begun 2 times').waitFor();
    await detail.locator('#regraded', { hasText: '1.00 → 0.50' }).waitFor();
    await detail.getByText('of 100 k').waitFor();
    await detail.getByText('agent/stdout.jsonl').first().click();
    await detail.getByRole('log', { name: 'End of agent/stdout.jsonl' }).getByText('agent/stdout.jsonl says').waitFor();
    await detail.locator('.link', { hasText: 'diff.patch:3' }).click();
    await page.locator('#resume', { hasText: 'Retry 1 trial…' }).click();
    await page.locator('#compare').click();
    await page.locator('#regrade').click();
    await expect
      .poll(() => asked)
      .toEqual(['openArtifact run-1.add-median.codex.1 diff.patch', 'resume', 'openComparison', 'regrade']);
    await page.screenshot({ path: shot('page-run-findings'), fullPage: true });
  });

  it('leads to judging and not to running again where a judge is all that was missing', async () => {
    const { page, script, asked } = await openRun({ attempts: 3 }, { width: 1440 });
    await play(script);
    const error = { code: 'judge.missing' as const, message: 'No judge is set.', hint: 'Then: “Regrade…”' };
    const change = (at: number, over: Partial<TrialSummary>) => {
      script.trials[at] = { ...(script.trials[at] ?? aTrial()), ...over };
    };
    change(0, { end: 'errored', reward: null, error });
    change(1, { end: 'agentFailed', reward: 0 });
    change(2, { reusedFrom: 'run-0.add-median.codex.1', startedAt: '2026-11-20T12:00:00.000Z' });
    change(3, { end: 'lost', reward: null });
    await loadPage(page);
    const labels = () => page.locator('.hd .row.wraps').locator('#regrade, #resume').allTextContents();
    await expect.poll(labels).toEqual(['Regrade…', 'Retry 1 trial…']);
    expect(await page.locator('#event-list .ev.kind-end .tone-error').count()).toBe(1);
    expect(await page.locator('#event-list .ev.kind-end .tone-pass').count()).toBe(0);
    await page.locator('.detail').getByText('Set a Judge…').click();
    await expect.poll(() => asked).toEqual(['openJudgeSetting']);
    const words = page.locator('.lane .ls .end');
    expect(await words.allTextContents()).toEqual(
      expect.arrayContaining(['Errored', 'Agent failed', 'Passed (reused)', 'Lost']),
    );
    expect(await words.evaluateAll(all => all.filter(one => one.scrollWidth > one.clientWidth).length)).toBe(0);
    const reused = page.locator('.lane', { hasText: 'Passed (reused)' });
    expect(await reused.locator('.bar i:not(.limit)').count()).toBe(0);
    await page.screenshot({ path: shot('page-run-unjudged'), fullPage: true });
    await reused.click();
    await page.locator('#trial-state', { hasText: 'Passed (reused)' }).waitFor();
    for (const at of await page.locator('#event-list .et').allTextContents()) expect(at).toMatch(/^\d\.\d s$/);
    await page.screenshot({ path: shot('page-run-reused'), fullPage: true });
  });

  it('counts verdicts apart from what the machine failed, in words and with its own icon', async () => {
    const { page, script } = await openRun(manyAttempts);
    await play(script);
    failSome(script);
    await loadPage(page);
    await page.locator('#run-state', { hasText: 'Finished, 3 errored' }).waitFor();
    expect(await page.locator('#run-state .tone-error').count()).toBe(1);
    const rows = page.locator('.ba tr');
    const cells = (row: number) => readOut(rows.nth(row).locator('th, td'));
    expect(await cells(0)).toEqual(['Agent', 'Verdicts', 'Errored', 'Reward', 'Cost', 'Tokens', 'Agent time']);
    expect((await cells(1)).slice(0, 4)).toEqual(['codex', '9 of 12', '3', '1.00']);
    expect((await cells(2)).slice(0, 4)).toEqual(['nop', '12 of 12', '0', '0.00']);
    expect(await page.locator('body').innerText()).not.toMatch(/\b0:00\b/);
  });

  // What a window of 1440 px leaves beside the side bar, a panel beside an editor, and less.
  it.each([1090, 900, 500, 400])('shows all of 2 agents × 12 attempts in %i px', async width => {
    const { page, script } = await openRun(manyAttempts, { width });
    await play(script);
    failSome(script);
    await loadPage(page);
    await expect.poll(() => page.locator('.cell').count()).toBe(24);
    await page.screenshot({ path: shot(`page-run-many-${width}`), fullPage: true });
    const beyond = await page.evaluate(() =>
      [...document.querySelectorAll('.cell, .mx .ag b, .ba td')]
        .filter(
          seen => seen.getBoundingClientRect().right > (seen.closest('.scrollx')?.getBoundingClientRect().right ?? 0),
        )
        .map(seen => seen.outerHTML.slice(0, 80)),
    );
    expect(beyond).toEqual([]);
    const names = page.locator('.mx .ag b');
    expect(await readOut(names)).toEqual(['codex', 'nop']);
    const cut = await names.evaluateAll(found =>
      found.map(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth),
    );
    expect(cut).toEqual([false, false]);
  });

  it.each([1090, 400])('shows single attempts with the names of their agents in %i px', async width => {
    const agents = ['codex', 'claude', 'oracle'].map(id => ({
      ...choice,
      id,
      model: 'gpt-5.5',
      label: `${id}/gpt-5.5`,
    }));
    const { page, script } = await openRun({ agents, attempts: 1 }, { width });
    await play(script);
    await loadPage(page);
    await expect.poll(() => page.locator('.cell').allTextContents()).toEqual(['1.00', '1.00', '1.00']);
    await page.screenshot({ path: shot(`page-run-single-${width}`) });
    expect(await readOut(page.locator('.mx .ag'))).toEqual(['codexgpt-5.5', 'claudegpt-5.5', 'oraclegpt-5.5']);
    const [plan] = await page
      .locator('.scrollx')
      .evaluateAll(found => found.map(el => [el.scrollWidth, el.clientWidth]));
    expect(plan?.[0]).toBeLessThanOrEqual(plan?.[1] ?? 0);
  });

  it('stays at the end of the events until the person scrolls up', async () => {
    const { page, script, channel } = await openRun();
    script.step();
    const say = () => {
      const event = { ...talk, seq: script.journal.length + 1, trialId: script.trials[0]?.id ?? null };
      script.journal.push(event);
      publish(runs, channel, 'progress', event);
    };
    for (let line = 0; line < 60; line++) say();
    await loadPage(page);
    const list = page.locator('#event-list');
    await expect.poll(() => list.locator('.ev').count()).toBe(61);
    const fromEnd = () => list.evaluate(el => Math.round(el.scrollHeight - el.scrollTop - el.clientHeight));
    expect(await fromEnd()).toBe(0);
    await list.evaluate(el => el.scrollTo({ top: 100 }));
    say();
    await expect.poll(() => list.locator('.ev').count()).toBe(62);
    expect(await list.evaluate(el => el.scrollTop)).toBe(100);
  });

  it.each([
    ['dark', 1200, 'page-run-dark'],
    ['light', 1200, 'page-run-light'],
    ['dark', 480, 'page-run-narrow'],
    ['highContrast', 1090, 'page-run-contrast'],
  ] as const)('fits its window: %s, %i px', async (theme, width, name) => {
    const { page, script } = await openRun(
      { tasks: ['add-median', 'refund-rounding-zero-decimal-currencies'] },
      { theme, width },
    );
    for (let step = 0; step < 30; step++) script.step();
    await loadPage(page);
    await page.locator('.lane').first().waitFor();
    await page.screenshot({ path: shot(name), fullPage: true });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  });
});

const choice = { model: null, label: null, command: null, replay: null };
const manyAttempts = { agents: ['codex', 'nop'].map(id => ({ ...choice, id })), attempts: 12 };

/** The machine fails three trials of the first agent. */
function failSome({ trials }: ScriptedRun): void {
  const error = { code: 'sandbox.failed' as const, message: 'The sandbox broke.', hint: null };
  for (const place of [2, 6, 9]) {
    trials[place] = { ...(trials[place] ?? aTrial()), end: 'errored', reward: null, error };
  }
}

const talk: Omit<RunEvent, 'seq' | 'trialId'> = {
  runId: 'run-1',
  at: '2026-11-21T12:00:00.000Z',
  kind: 'agent',
  phase: null,
  text: 'message: still at it',
  usage: null,
};

function stateOf(script: ScriptedRun): string | undefined {
  const trial = script.trials[0];
  return trial && trialState(trial);
}

function shot(name: string): string {
  mkdirSync(screenshots, { recursive: true });
  return join(screenshots, `${name}.png`);
}
