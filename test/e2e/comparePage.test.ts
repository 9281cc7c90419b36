import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Comparison } from '../../protocol/comparison.ts';
import { toHtml } from '../../server/bench/report/html.ts';
import { toReport } from '../../server/bench/report/model.ts';
import { aComparison, aRepeatedComparison } from '../fakes/comparisons.ts';
import { aRun, aTrial } from '../fakes/scriptedRun.ts';
import { requireFeature } from '../require.ts';
import { sharedBrowser } from './chromium.ts';
import { serveComparison } from './pages/compareHost.ts';
import { inkOf, leastDifference, signs } from './pages/ink.ts';
import { loadPage, openPage } from './pages/pageHost.ts';
import { screenshots } from './workbench.ts';

/** As Windows does with a contrast theme; sharp enough to see how a mark of nine pixels is drawn. */
const forced = { forcedColors: 'active', colorScheme: 'dark', deviceScaleFactor: 4 } as const;

describe.skipIf(!requireFeature('browser'))('the page that compares agents', { timeout: 60_000 }, () => {
  const browser = sharedBrowser();

  async function openComparison(
    comparison: Comparison,
    run = aRun({ state: 'finished' }),
    options: Parameters<typeof browser.newContext>[0] = {},
  ) {
    const viewport = { width: 1200, height: 900 };
    const context = await browser.newContext({ viewport, reducedMotion: 'reduce', ...options });
    onTestFinished(() => context.close());
    const opened = await openPage(context, { page: 'compare', facts: { runIds: 'run-1 run-2' }, theme: 'dark' });
    const flags = [{ kind: 'testEdit' as const, evidence: 'tests', place: 'diff.patch:1' }];
    const trials = [aTrial({ id: 'run-1.0.codex/gpt-5.5.1', flags })];
    const asked = serveComparison(opened.channel, { comparison, run, trials });
    await loadPage(opened.page);
    await opened.page.locator('.mx').waitFor();
    return { ...opened, asked };
  }

  it('says the verdict in words, with what it rests on', async () => {
    const { page, complaints, remembered } = await openComparison(aComparison());
    const rows = await page
      .locator('[data-pair]')
      .evaluateAll(found => found.map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent)));
    expect(rows[0]).toEqual([
      'Not enough evidence',
      'codex/gpt-5.5 against claude/sonnet-4.6: about 6 more tasks would settle it, if the difference holds',
      '7 / 2 / 3',
      '+0.08',
      '−0.01 to +0.17',
      'p = 0.18',
    ]);
    expect(rows[1]?.slice(0, 2)).toEqual([
      'Enough evidence',
      'codex/gpt-5.5 beats codex/gpt-5.5-mini on 8 of 12 tasks',
    ]);
    await page.getByText('codex/gpt-5.5 did best').waitFor();
    expect(remembered()).toMatchObject({ runIds: ['run-1', 'run-2'] });
    expect(complaints).toEqual([]);
    await page.screenshot({ path: shot('page-compare-dark'), fullPage: true });
  });

  it('comes back scrolled as far as it was left', async () => {
    const { page, remembered } = await openComparison(aComparison(), undefined, {
      viewport: { width: 1200, height: 300 },
    });
    await page.evaluate(() => scrollTo(0, 350));
    const left = { runIds: ['run-1', 'run-2'], showsAllTasks: false, scrollPx: 350 };
    await expect.poll(remembered).toEqual(left);
    await page.reload();
    await expect.poll(() => page.evaluate(() => scrollY)).toBe(350);
    expect(remembered()).toEqual(left);
  });

  it('shows rewards with intervals, pass@k, cost and flags of each agent', async () => {
    const { page } = await openComparison(aComparison());
    const cells = page.locator('[data-agent="codex/gpt-5.5"] td');
    expect((await cells.allTextContents()).slice(1)).toEqual([
      '0.68',
      '0.53 to 0.82',
      '0.68',
      '0.88',
      '0.48',
      '35 of 36',
      '$0.62',
      '742 k',
      '6:40',
      '1',
    ]);
    const names = await page.locator('.scatter .point text').allTextContents();
    expect(names).toEqual(['codex/gpt-5.5', 'claude/sonnet-4.6', 'codex/gpt-5.5-mini', 'opencode/qwen3-coder-48…']);
    expect(await page.locator('.scatter .point .on').count()).toBe(2);
  });

  it('opens the trial behind a mark, by mouse and by keyboard', async () => {
    const { page, asked } = await openComparison(aComparison());
    await page.locator('[data-trial="run-1.0.codex/gpt-5.5.1"]').click();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('#choose').click();
    await expect
      .poll(() => asked)
      .toEqual(['openTrial run-1.0.codex/gpt-5.5.1', 'openTrial run-1.1.codex/gpt-5.5.2', 'chooseRuns']);
  });

  it('warns of what makes a comparison weak, and draws a long list on request', async () => {
    const { page } = await openComparison(aComparison(150), aRun({ state: 'running' }));
    await page.getByText('2 runs not ended.').waitFor();
    await page.getByText('1 task not proven.').waitFor();
    expect(await page.locator('.mx .tk').count()).toBe(100);
    await page.getByText('Show all 150 tasks').click();
    await expect.poll(() => page.locator('.mx .tk').count()).toBe(150);
  });

  it('keeps agents, tasks and means in sight while many of both scroll, by keyboard too', async () => {
    const { page } = await openComparison(aComparison(40, 4));
    const last = page.locator('.mx .tk').last().locator('xpath=..').locator('button').last();
    await last.focus();
    const box = async (locator: Locator) => (await locator.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const region = await box(page.locator('.both'));
    const [corner, mean, mark] = [
      await box(page.locator('.mx thead th').first()),
      await box(page.locator('.mx .sum th')),
      await box(last),
    ];
    expect(Math.round(corner.x - region.x)).toBe(0);
    expect(Math.round(corner.y - region.y)).toBe(0);
    expect(region.height).toBeLessThan(900);
    expect(mark.y).toBeGreaterThanOrEqual(corner.y + corner.height);
    expect(mark.y + mark.height).toBeLessThanOrEqual(mean.y + 1);
    await page.screenshot({ path: shot('page-compare-scrolled') });
  });

  it('tells the columns of one agent apart by their runs, and marks what one took from the other', async () => {
    const viewport = { width: 1440, height: 900 };
    const { page, complaints } = await openComparison(aRepeatedComparison(), undefined, { viewport });
    const heads = page.locator('.mx thead th.num');
    const shown = await heads.evaluateAll(found => found.map(head => (head as HTMLElement).innerText.split(/\s+/)));
    expect(shown).toEqual([
      ['codex', '05:41'],
      ['codex', '05:43'],
      ['oracle', '05:41'],
      ['oracle', '05:43'],
    ]);
    expect(await heads.evaluateAll(found => found.map(head => head.getAttribute('title')))).toEqual([
      'codex 05:41, run run-1',
      'codex 05:43, run run-2',
      'oracle 05:41, run run-1',
      'oracle 05:43, run run-2',
    ]);
    expect(await page.locator('button.mk.reused').count()).toBe(24);
    const reused = page.locator('[data-trial="run-2.0.codex"]');
    expect(await reused.getAttribute('title')).toContain('reused, the verdict of codex 05:41');
    await page.locator('.legend .reused').waitFor();
    await page.getByText('12 of 14 verdicts of codex 05:43 are those of codex 05:41, reused').waitFor();
    await page.getByText('The reference solution scored 1.00, as it must be.').waitFor();
    await page.getByText('26 verdicts').waitFor();
    expect(complaints).toEqual([]);
    await page.screenshot({ path: shot('page-compare-repeated'), fullPage: true });
  });

  it('gives the matrix the width that its columns take, and scrolls it only where the page has no more', async () => {
    const { page } = await openComparison(aComparison(12, 1), undefined, { viewport: { width: 1440, height: 900 } });
    const hidden = () => page.locator('.both').evaluate(region => region.scrollWidth - region.clientWidth);
    const isBeside = async () =>
      ((await page.locator('.right').boundingBox())?.x ?? 0) > ((await page.locator('.both').boundingBox())?.x ?? 0);
    expect([await hidden(), await isBeside()]).toEqual([0, false]);
    await page.setViewportSize({ width: 1800, height: 900 });
    expect([await hidden(), await isBeside()]).toEqual([0, true]);
    await page.setViewportSize({ width: 700, height: 900 });
    expect(await hidden()).toBeGreaterThan(0);
    await page.screenshot({ path: shot('page-compare-cut') });
  });

  it('tells marks and intervals apart where the system forces its colours', async () => {
    const { page } = await openComparison(aRepeatedComparison(), undefined, forced);
    expect(leastDifference(await inkOf(page.locator('.legend .mk i'), signs))).toBeGreaterThan(0.1);
    await expectFilled(page.locator('.legend .mk.yes i').first());
    await expectFilled(page.locator('.iv i, .iv s'));
    await page.screenshot({ path: shot('page-compare-forced'), fullPage: true });
  });

  it('does so in the report', async () => {
    const context = await browser.newContext(forced);
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const rewards = [1, 0.5, 0, null];
    const trials = rewards.map((reward, index) =>
      aTrial({ attempt: index + 1, phase: 'done', end: reward === null ? 'errored' : 'verified', reward }),
    );
    await page.setContent(toHtml(toReport(aRun({ state: 'finished' }), trials), '0.1.0'));
    expect(leastDifference(await inkOf(page.locator('.cap .mk')))).toBeGreaterThan(0.1);
    await expectFilled(page.locator('.cap .mk.y'));
    await expectFilled(page.locator('.iv i, .iv s'));
    await page.screenshot({ path: shot('report-forced'), fullPage: true });
  });

  it('says that there is nothing to compare', async () => {
    const { page } = await openComparison({
      agents: [],
      pairs: [],
      tasks: [],
      summary: ['No agent reached a verdict.'],
    });
    await page.getByText('It takes two agents').waitFor();
    await page.getByText('Appears when two agents have both').waitFor();
  });
});

/** Drawn with the whole of its body, and not as a frame or not at all. */
async function expectFilled(parts: Locator): Promise<void> {
  const inks = await inkOf(parts);
  expect(inks.length).toBeGreaterThan(0);
  for (const ink of inks) expect(ink[Math.floor(ink.length / 2)]).toBeGreaterThan(0.8);
}

function shot(name: string): string {
  mkdirSync(screenshots, { recursive: true });
  return join(screenshots, `${name}.png`);
}
