import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../../protocol/api.ts';
import type { Channel } from '../../protocol/channel.ts';
import { runPage } from '../../protocol/pages.ts';
import { runs } from '../../protocol/runs.ts';
import { aComparison, aRepeatedComparison } from '../fakes/comparisons.ts';
import { cyrillicChannel, inCyrillic, pseudoLocale, untranslated } from '../fakes/pseudoLocale.ts';
import { aRun, aTrial, ScriptedRun } from '../fakes/scriptedRun.ts';
import { requireFeature } from '../require.ts';
import { aRichSession } from '../unit/traces/sessions/aReader.ts';
import { sharedBrowser } from './chromium.ts';
import { overflows, seriousProblems, shownWords } from './pages/audit.ts';
import { absentRuns, serveComparison } from './pages/compareHost.ts';
import { loadPage, openPage } from './pages/pageHost.ts';
import { SessionHost } from './pages/sessionHost.ts';
import type { Theme } from './pages/theme.ts';
import { screenshots } from './workbench.ts';

interface Shown {
  /** Name of the bundle where it is not that of the case. */
  readonly page?: string;
  readonly facts: Record<string, string>;
  readonly ready: string;
  readonly open: readonly string[];
  host(channel: Channel): void;
}

/** Each page with everything on it that it can show at once. `open` is unfolded first. */
const pages: Readonly<
  Record<'run' | 'run-errored' | 'session' | 'compare' | 'compare-many' | 'compare-repeated', Shown>
> = {
  run: { facts: { runId: 'run-1' }, ready: '.lane', open: ['.lane[data-state="passed"] >> nth=0'], host: serveRun },
  'run-errored': {
    page: 'run',
    facts: { runId: 'run-1' },
    ready: '.lane',
    open: ['.lane[data-state="errored"] >> nth=0'],
    host: serveErroredRun,
  },
  session: {
    facts: { sessionId: 'session-1' },
    ready: '[data-changes="exchange-3"]',
    open: ['.fold[data-line="6"]', '.fold[data-line="5"]', '[data-changes="exchange-3"]'],
    host: channel => void new SessionHost(channel, aRichSession()),
  },
  compare: {
    facts: { runIds: 'run-1' },
    ready: '.mx',
    open: [],
    host: channel => void serveComparison(channel, { comparison: aComparison(), run: aRun({ state: 'finished' }) }),
  },
  'compare-many': {
    page: 'compare',
    facts: { runIds: 'run-1' },
    ready: '.mx',
    open: [],
    host: channel =>
      void serveComparison(channel, { comparison: aComparison(40, 4), run: aRun({ state: 'finished' }) }),
  },
  'compare-repeated': {
    page: 'compare',
    facts: { runIds: 'run-1 run-2' },
    ready: '.mx',
    open: [],
    host: channel =>
      void serveComparison(channel, { comparison: aRepeatedComparison(), run: aRun({ state: 'finished' }) }),
  },
};

/** Width of the window in pixels and the zoom: 200 % leaves half of the width to the page. */
const sizes = [
  { name: '', width: 1200, zoom: 1 },
  { name: '-200', width: 1200, zoom: 2 },
  { name: '-narrow', width: 400, zoom: 1 },
] as const;
const themes: readonly Theme[] = ['light', 'dark', 'highContrast'];
/** Many rows and columns, or columns of several runs, take no other colours than few. */
const themesOf = (page: string) => (page.startsWith('compare-') ? themes.slice(0, 1) : themes);
const cases = Object.keys(pages).flatMap(page =>
  themesOf(page).flatMap(theme =>
    sizes.map(size => ({ page: page as keyof typeof pages, theme, size, name: `${page}-${theme}${size.name}` })),
  ),
);

describe.skipIf(!requireFeature('browser'))('every page', { timeout: 60_000 }, () => {
  const browser = sharedBrowser();

  it.each(cases)('$name: nothing sticks out, axe-core finds nothing serious', async shown => {
    const { theme, size } = shown;
    const { facts, ready, open, host } = pages[shown.page];
    const context = await browser.newContext({
      viewport: { width: size.width / size.zoom, height: 900 / size.zoom },
      deviceScaleFactor: size.zoom,
      reducedMotion: 'reduce',
    });
    onTestFinished(() => context.close());
    const { page, channel, complaints } = await openPage(context, {
      page: pages[shown.page].page ?? shown.page,
      facts,
      theme,
    });
    host(channel);
    await loadPage(page);
    await page.locator(ready).first().waitFor();
    for (const target of open) await page.locator(target).click();
    mkdirSync(screenshots, { recursive: true });
    await page.screenshot({ path: join(screenshots, `page-${shown.name}.png`), fullPage: true });
    expect(await overflows(page)).toEqual([]);
    expect(await seriousProblems(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it.each(['run', 'session', 'compare'] as const)('%s: says everything in the language of the editor', async name => {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
    onTestFinished(() => context.close());
    const { facts, ready, open, host } = pages[name];
    const { page, channel, complaints } = await openPage(context, {
      page: name,
      facts: inCyrillic(facts),
      theme: 'light',
      translations: pseudoLocale(),
    });
    const opened = Promise.withResolvers<void>();
    host(cyrillicChannel(channel, opened.promise));
    await loadPage(page);
    await expect.poll(() => shownWords(page)).toHaveLength(1);
    expect(untranslated(await shownWords(page))).toEqual([]);
    opened.resolve();
    const there = (selector: string) => selector.replace(/exchange-\d/, id => inCyrillic(id));
    await page.locator(there(ready)).first().waitFor();
    for (const target of open) await page.locator(there(target)).click();
    mkdirSync(screenshots, { recursive: true });
    await page.screenshot({ path: join(screenshots, `page-${name}-translated.png`), fullPage: true });
    const words = await shownWords(page);
    expect(words.length).toBeGreaterThan(50);
    expect(untranslated(words)).toEqual([]);
    // Texts are longer than in English here, as they are in most languages.
    expect(await overflows(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

/** A run with long names, in the middle of its work. */
function serveRun(channel: Channel): void {
  const script = new ScriptedRun(aRun({ tasks: ['add-median', 'refund-rounding-zero-decimal-currencies'] }), {
    changed: () => undefined,
    trialChanged: () => undefined,
    progress: () => undefined,
  });
  while (script.journal.length < 60 && script.step());
  const [first] = script.trials;
  const flags = [{ kind: 'testEdit' as const, evidence: '-assert.equal(1, 1);', place: 'diff.patch:3' }];
  if (first !== undefined) script.trials[0] = { ...first, flags, sessionId: 'session-1' };
  serveScript(script, channel);
}

/** A run with many attempts that has ended, and the machine failed some of them. */
function serveErroredRun(channel: Channel): void {
  const choice = { model: 'gpt-5.5', label: null, command: null, replay: null };
  const agents = ['codex', 'claude-with-a-name-that-is-long'].map(id => ({ ...choice, id }));
  const script = new ScriptedRun(aRun({ agents, attempts: 12 }), {
    changed: () => undefined,
    trialChanged: () => undefined,
    progress: () => undefined,
  });
  while (script.step());
  const error = { code: 'sandbox.failed' as const, message: 'The sandbox broke.', hint: 'Start Docker again.' };
  for (const place of [2, 6, 9]) {
    script.trials[place] = { ...(script.trials[place] ?? aTrial()), end: 'errored', reward: null, error };
  }
  serveScript(script, channel);
}

function serveScript(script: ScriptedRun, channel: Channel): void {
  serve(
    runs,
    {
      ...absentRuns,
      show: () => ({ run: script.run, trials: script.trials }),
      events: ({ after }) => ({ events: script.journal.filter(event => event.seq > after) }),
    },
    channel,
  );
  const done = () => ({ done: true });
  serve(
    runPage,
    {
      artifacts: () => ({ rows: [{ path: 'agent/stdout.jsonl', sizeBytes: 212_000 }] }),
      openArtifact: done,
      tail: () => ({ text: 'one line\n', sizeBytes: 9 }),
      reviewDiff: done,
      openReport: done,
      openSession: done,
      cancel: done,
      resume: done,
      regrade: done,
      openJudgeSetting: done,
      openComparison: done,
    },
    channel,
  );
}
