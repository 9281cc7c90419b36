// The session page over the real server, in a plain browser: how long a session of 50 MB takes to be seen.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { type Remote, remote, serve } from '../protocol/api.ts';
import { server } from '../protocol/server.ts';
import { sessions } from '../protocol/sessions.ts';
import { root } from '../scripts/root.ts';
import { coachPaths } from '../server/base/paths.ts';
import { connectToServer } from '../server/connect.ts';
import { loadPage, openPage } from '../test/e2e/pages/pageHost.ts';
import { type Figure, median, toFigure } from './figure.ts';

const rounds = 5;
/** Laying out 50 MB keeps a browser busy for long. */
const plainRounds = 2;
const plainTimeoutMs = 180_000;
const goalMs = 300;
const shortSession = 'the same page of a session of one exchange';
const plainPage = 'the same conversation as one plain text page';

interface LongSession {
  readonly name: string;
  readonly sessionId: string;
  /** A session of one exchange: what the page costs whatever it shows. */
  readonly shortId: string;
  readonly scratch: string;
}

/** From the opening of the page, everything cold: until it is first painted, and until lines of conversation are. */
export async function measureSessionPage(
  browser: Browser,
  env: NodeJS.ProcessEnv,
  { name, sessionId, shortId, scratch }: LongSession,
): Promise<Figure[]> {
  const long: Opening[] = [];
  const short: Opening[] = [];
  let fault: string | null = null;
  for (let round = 0; round < rounds; round++) {
    short.push(await openCold(browser, env, shortId));
    const opening = await openCold(browser, env, sessionId);
    long.push(opening);
    if (opening.shown !== opening.exchanges) fault ??= `${opening.shown} of ${opening.exchanges} exchanges were shown`;
  }
  const plain = await plainText(browser, env, sessionId, scratch);
  const typical = (openings: readonly Opening[], what: 'paintedMs' | 'linesMs' | 'wholeMs') =>
    median(openings.map(opening => opening[what]));
  const page = `session page, ${name} with ${Math.round(plain.megabytes)} MB of conversation`;
  return [
    toFigure({
      figure: `${page}: first paint`,
      unit: 'ms',
      ours: typical(long, 'paintedMs'),
      peers: { [shortSession]: typical(short, 'paintedMs'), [plainPage]: plain.paintedMs },
      goal: `at most ${goalMs} ms`,
      reach: ours => ours <= goalMs,
      void: fault,
      note: `${rounds} openings, each by a server that was just started`,
    }),
    toFigure({
      figure: `${page}: first lines of it painted`,
      unit: 'ms',
      ours: typical(long, 'linesMs'),
      peers: { [shortSession]: typical(short, 'linesMs') },
      goal: '–',
      reach: () => null,
      void: fault,
      note: `its sums and its end are there after ${Math.round(typical(long, 'wholeMs'))} ms`,
    }),
  ];
}

interface Opening {
  /** Its title, and that it is being read. */
  readonly paintedMs: number;
  readonly linesMs: number;
  readonly wholeMs: number;
  readonly shown: number;
  readonly exchanges: number;
}

/** Opened by a server of its own: nothing of the session is in memory, and no thread to read it runs. */
async function openCold(browser: Browser, env: NodeJS.ProcessEnv, sessionId: string): Promise<Opening> {
  let opened: Opening = { paintedMs: Number.NaN, linesMs: Number.NaN, wholeMs: Number.NaN, shown: 0, exchanges: 0 };
  await withServer(env, async api => {
    const seen = await openOnce(browser, api, sessionId);
    opened = { ...seen, exchanges: (await api.exchanges({ sessionId })).exchanges.length };
  });
  return opened;
}

async function withServer(env: NodeJS.ProcessEnv, work: (api: Remote<typeof sessions>) => Promise<void>) {
  const program = join(root, 'dist', 'server.cjs');
  const { channel, dispose } = await connectToServer({ paths: coachPaths(env), env, client: 'test', program });
  try {
    await work(remote(sessions, channel));
  } finally {
    dispose();
    await stopServer(env);
  }
}

/** Ends the background server of a COACH_HOME, if one runs. */
export async function stopServer(env: NodeJS.ProcessEnv): Promise<void> {
  const options = { paths: coachPaths(env), env, client: 'test', program: null } as const;
  const connection = await connectToServer(options).catch(() => null);
  if (connection === null) return;
  await remote(server, connection.channel).stop({});
  await connection.closed;
  connection.dispose();
}

async function openOnce(browser: Browser, api: Remote<typeof sessions>, sessionId: string) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
  try {
    const { page, channel } = await openPage(context, { page: 'session', facts: { sessionId }, theme: 'dark' });
    // As the panel does: asked for while the page is still being loaded.
    const early = api.opening({ sessionId });
    serve(sessions, { ...api, opening: () => early }, channel, 'webview');
    await page.addInitScript(noteFirst, { lines: '.line', whole: '#end[data-whole="true"]' });
    await loadPage(page);
    const linesMs = await noted(page, 'lines');
    const wholeMs = await noted(page, 'whole');
    const paintedMs = Number(await (await firstPaint(page)).jsonValue());
    const shown = Number((await page.textContent('[data-figure="Exchanges"]'))?.replaceAll(',', ''));
    return { paintedMs, linesMs, wholeMs, shown };
  } finally {
    await context.close();
  }
}

async function plainText(browser: Browser, env: NodeJS.ProcessEnv, sessionId: string, scratch: string) {
  let text = '';
  await withServer(env, async api => {
    text = (await api.show({ sessionId })).conversation.map(item => `${item.kind}\n${item.text}\n`).join('\n');
  });
  const file = join(scratch, 'conversation.txt');
  writeFileSync(file, text);
  const times: number[] = [];
  for (let round = 0; round < plainRounds; round++) {
    const page = await browser.newPage();
    await page.goto(pathToFileURL(file).href, { waitUntil: 'commit', timeout: plainTimeoutMs });
    times.push(Number(await (await firstPaint(page)).jsonValue()));
    await page.close();
  }
  return { paintedMs: median(times), megabytes: text.length / 1_000_000 };
}

function firstPaint(page: Page) {
  const painted = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
  return page.waitForFunction(painted, undefined, { timeout: plainTimeoutMs });
}

/** Runs in the page: notes when an element is first there and the frame with it was drawn, in ms since navigation. */
function noteFirst(selectors: Readonly<Record<string, string>>): void {
  const seen: Record<string, number> = {};
  Object.assign(window, { seen });
  const look = () => {
    for (const [name, selector] of Object.entries(selectors)) {
      if (name in seen || document.querySelector(selector) === null) continue;
      seen[name] = Number.NaN;
      requestAnimationFrame(() => setTimeout(() => (seen[name] = performance.now())));
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
}

async function noted(page: Page, name: string): Promise<number> {
  const found = await page.waitForFunction(
    key => (window as unknown as { seen?: Record<string, number> }).seen?.[key] || false,
    name,
    { timeout: 60_000 },
  );
  return Number(await found.jsonValue());
}
