// The packaged extension in a real workbench: what it costs the extension host, beside extensions that do next to nothing.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { installCodeServer, installExtension, startCodeServer } from '../scripts/codeServer.ts';
import { root } from '../scripts/root.ts';
import { coachPaths } from '../server/base/paths.ts';
import { packPlainExtension } from '../test/e2e/hostProbe.ts';
import { codeServerDirectory } from '../test/require.ts';
import { type Figure, median, toFigure } from './figure.ts';

const rounds = 5;
const extension = 'codex-coach.codex-coach';
const emptyName = 'perf-empty';
const morePages = 8;
const settleMs = 3000;
const refreshMs = 1000;

interface HostOptions {
  readonly vsix: string;
  readonly scratch: string;
  /** With a COACH_HOME whose database holds 10,000 sessions. */
  readonly env: NodeJS.ProcessEnv;
}

/** Activation and the list of sessions. */
export async function measureHost(browser: Browser, { vsix, scratch, env }: HostOptions): Promise<Figure[]> {
  const entry = await installCodeServer(codeServerDirectory, console.log);
  const portFile = join(scratch, 'probe.port');
  const profile = { profile: join(scratch, 'profile'), env: { ...env, PERF_PROBE_PORT_FILE: portFile } };
  const folder = join(scratch, 'folder');
  mkdirSync(folder, { recursive: true });
  execFileSync('git', ['init', '--quiet'], { cwd: folder });
  for (const name of ['perf-probe', emptyName]) {
    await installExtension(entry, profile, packPlainExtension(join(root, 'perf', name), name, scratch));
  }
  await installExtension(entry, profile, vsix);
  const editor = await startCodeServer(entry, profile, folder, { 'security.workspace.trust.enabled': false });
  const place = { browser, portFile, url: `${editor.url}?folder=${encodeURIComponent(folder)}` };
  try {
    const activation = await measureActivation(place, coachPaths(env).home);
    // With tasks in its folder, a window connects to the server by itself.
    mkdirSync(join(folder, '.coach'));
    return [activation, ...(await measureSideBar(place))];
  } finally {
    await editor.stop();
  }
}

interface Place {
  readonly browser: Browser;
  readonly url: string;
  readonly portFile: string;
}

/** A window as it is for the first time, with a new extension host; `ask` is answered by its probe. */
async function inWindow(
  { browser, url, portFile }: Place,
  work: (page: Page, ask: (question: string) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  writeFileSync(portFile, '');
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    await context.route(
      ({ hostname }) => hostname !== '127.0.0.1',
      route => route.abort(),
    );
    const page = await context.newPage();
    await page.goto(url);
    await page.locator('.monaco-workbench .activitybar').waitFor({ timeout: 60_000 });
    for (let tries = 0; readFileSync(portFile, 'utf8') === ''; tries++) {
      if (tries > 600) throw new Error('The probe did not start.');
      await page.waitForTimeout(100);
    }
    // What else starts with a window is not what is measured.
    await page.waitForTimeout(settleMs);
    const port = readFileSync(portFile, 'utf8');
    await work(page, async question => (await fetch(`http://127.0.0.1:${port}/${question}`)).json());
  } finally {
    await context.close();
  }
}

interface Activation {
  readonly wallMs: number;
  readonly threadMs: number;
}

async function measureActivation(place: Place, home: string): Promise<Figure> {
  const times: { ours: Activation; empty: Activation }[] = [];
  let fault: string | null = null;
  for (let round = 0; round < rounds; round++) {
    await inWindow(place, async (_page, ask) => {
      const empty = (await ask(`activate?id=codex-coach.${emptyName}`)) as Activation;
      const ours = (await ask(`activate?id=${extension}`)) as Activation | null;
      if (ours === null) fault ??= 'it was active before anything asked for it';
      else times.push({ ours, empty });
      if (existsSync(join(home, 'server.token'))) fault ??= 'it started the background server by itself';
    });
  }
  const wall = [median(times.map(({ ours }) => ours.wallMs)), median(times.map(({ empty }) => empty.wallMs))];
  return toFigure({
    figure: 'activation: time of the extension host’s thread',
    unit: 'ms',
    ours: median(times.map(({ ours }) => ours.threadMs)),
    peers: { 'an empty extension': median(times.map(({ empty }) => empty.threadMs)) },
    goal: 'at most 100 ms, nothing eager',
    reach: ours => ours <= 100,
    void: fault,
    note: `${wall.map(Math.round).join(' and ')} ms on the clock; new hosts, medians of ${rounds}; no server was started by it`,
  });
}

async function measureSideBar(place: Place): Promise<Figure[]> {
  const times: { ours: number; peer: number; block: number; furtherBlock: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    await inWindow(place, async (page, ask) => {
      await page.locator('.statusbar-item', { hasText: 'Coach' }).waitFor({ timeout: 60_000 });
      await ask('delay/start');
      const { ours, peer } = await timeToRows(page);
      // The page was there already: once more for what it costs to bring it.
      await ask('command?id=codexCoach.refresh');
      await page.waitForTimeout(refreshMs);
      const block = Number(await ask('delay/stop'));
      await ask('delay/start');
      for (let more = 0; more < morePages; more++) await ask('command?id=codexCoach.showOlderSessions');
      times.push({ ours, peer, block, furtherBlock: Number(await ask('delay/stop')) });
    });
  }
  const of = (key: keyof (typeof times)[number]) => median(times.map(time => time[key]));
  return [
    toFigure({
      figure: 'side bar: first page of 10,000 sessions, after a tree in memory',
      unit: 'ms',
      ours: Math.max(0, of('ours') - of('peer')),
      peers: { 'a tree of 100 rows in memory, from the click': of('peer') },
      goal: 'at most 100 ms',
      reach: ours => ours <= 100,
      note: `100 sessions by day, rows ${Math.round(of('ours'))} ms after the click that opens the side bar; ${rounds} new windows`,
    }),
    toFigure({
      figure: 'side bar: longest block of the extension host, first page and the next 800 sessions',
      unit: 'ms',
      ours: Math.max(of('block'), of('furtherBlock')),
      goal: 'at most 50 ms',
      reach: ours => ours <= 50,
      note: `first page ${of('block').toFixed(1)} ms, further ones ${of('furtherBlock').toFixed(1)} ms`,
    }),
  ];
}

/** Milliseconds from the click that opens our side bar until rows of each view were drawn, as the browser tells. */
function timeToRows(page: Page): Promise<{ ours: number; peer: number }> {
  return page
    .locator('.activitybar')
    .getByRole('tab', { name: 'Codex Coach' })
    .evaluate(
      tab =>
        new Promise<{ ours: number; peer: number }>(resolve => {
          const names = { ours: 'Sessions', peer: 'Peer' } as const;
          const seen: { ours?: number; peer?: number } = {};
          const startedAt = performance.now();
          const has = (name: string) =>
            [...document.querySelectorAll('.pane')].some(
              pane =>
                pane.querySelector('.pane-header')?.textContent?.includes(name) &&
                pane.querySelector('.monaco-list-row') !== null,
            );
          const look = () => {
            for (const key of ['ours', 'peer'] as const) {
              if (has(names[key])) seen[key] ??= performance.now() - startedAt;
            }
            const { ours, peer } = seen;
            if (ours !== undefined && peer !== undefined) resolve({ ours, peer });
            else requestAnimationFrame(look);
          };
          if (tab.getAttribute('aria-expanded') === 'true') throw new Error('The side bar is open already.');
          (tab as HTMLElement).click();
          look();
        }),
    );
}
