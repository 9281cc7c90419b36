// The packaged extension in a real workbench: what it costs the extension host, beside extensions that do next to nothing.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { installCodeServer, installExtension, startCodeServer } from '../scripts/codeServer.ts';
import { root } from '../scripts/root.ts';
import { coachPaths } from '../server/base/paths.ts';
import { ExtensionHost, packPlainExtension, probeDirectory } from '../test/e2e/hostProbe.ts';
import { codeServerDirectory } from '../test/require.ts';
import { type Figure, median, toFigure } from './figure.ts';

const rounds = 5;
const extension = 'codex-coach.codex-coach';
const emptyName = 'perf-empty';
const morePages = 8;
const delayResolutionMs = 1;
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
  const profile = { profile: join(scratch, 'profile'), env: { ...env, HOST_PROBE_PORT_FILE: portFile } };
  const folder = join(scratch, 'folder');
  mkdirSync(folder, { recursive: true });
  execFileSync('git', ['init', '--quiet'], { cwd: folder });
  for (const source of [probeDirectory, join(root, 'perf', 'perf-peer'), join(root, 'perf', emptyName)]) {
    await installExtension(entry, profile, packPlainExtension(source, basename(source), scratch));
  }
  await installExtension(entry, profile, vsix);
  const editor = await startCodeServer(entry, profile, folder, { 'security.workspace.trust.enabled': false });
  const place = {
    browser,
    host: new ExtensionHost(portFile),
    url: `${editor.url}?folder=${encodeURIComponent(folder)}`,
  };
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
  readonly host: ExtensionHost;
}

/** A window as it is for the first time, with a new extension host. */
async function inWindow({ browser, host, url }: Place, work: (page: Page) => Promise<void>): Promise<void> {
  host.forget();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.locator('.monaco-workbench .activitybar').waitFor({ timeout: 60_000 });
    await host.started();
    // What else starts with a window is not what is measured.
    await page.waitForTimeout(settleMs);
    await work(page);
  } finally {
    await context.close();
  }
}

interface Activation {
  readonly wallMs: number;
  readonly threadMs: number;
}

// What follows runs in the extension host, and sees nothing but its parameters.

type Editor = typeof import('vscode');
type Delays = import('node:perf_hooks').ELDHistogram;

/** What loading and activating an extension takes, on the clock and of the host's thread; null when it was active. */
async function activate(vscode: Editor, id: string): Promise<Activation | null> {
  const asked = vscode.extensions.getExtension(id);
  if (asked === undefined) throw new Error(`There is no extension ${id}.`);
  if (asked.isActive) return null;
  const [startedAt, before] = [performance.now(), process.threadCpuUsage()];
  await asked.activate();
  const { user, system } = process.threadCpuUsage(before);
  return { wallMs: performance.now() - startedAt, threadMs: (user + system) / 1000 };
}

async function execute(vscode: Editor, command: string): Promise<void> {
  await vscode.commands.executeCommand(command);
}

function startDelays(_vscode: Editor, resolution: number): void {
  const delays = process.getBuiltinModule('node:perf_hooks').monitorEventLoopDelay({ resolution });
  delays.enable();
  Object.assign(globalThis, { delays });
}

/** Milliseconds that the host's loop was held up at most since. */
function longestDelay(_vscode: Editor, resolution: number): number {
  const { delays } = globalThis as unknown as { readonly delays: Delays };
  delays.disable();
  return Math.max(0, delays.max / 1e6 - resolution);
}

async function measureActivation(place: Place, home: string): Promise<Figure> {
  const times: { ours: Activation; empty: Activation }[] = [];
  let fault: string | null = null;
  for (let round = 0; round < rounds; round++) {
    await inWindow(place, async () => {
      const empty = await place.host.run(activate, `codex-coach.${emptyName}`);
      const ours = await place.host.run(activate, extension);
      if (empty === null) throw new Error('Something activated the empty extension.');
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
    await inWindow(place, async page => {
      await page.locator('.statusbar-item', { hasText: 'Coach' }).waitFor({ timeout: 60_000 });
      await place.host.run(startDelays, delayResolutionMs);
      const { ours, peer } = await timeToRows(page);
      // The page was there already: once more for what it costs to bring it.
      await place.host.run(execute, 'codexCoach.refresh');
      await page.waitForTimeout(refreshMs);
      const block = await place.host.run(longestDelay, delayResolutionMs);
      await place.host.run(startDelays, delayResolutionMs);
      for (let more = 0; more < morePages; more++) await place.host.run(execute, 'codexCoach.showOlderSessions');
      const furtherBlock = await place.host.run(longestDelay, delayResolutionMs);
      times.push({ ours, peer, block, furtherBlock });
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
