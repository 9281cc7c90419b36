// What the editor shows, and what it costs: activation, the list of sessions, the page of a long one, the packages.
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTarget, isTarget, type Target, targets } from '../scripts/build.ts';
import { packageExtension } from '../scripts/package.ts';
import { coachPaths } from '../server/base/paths.ts';
import { TraceStore } from '../server/traces/store.ts';
import { launchBrowser } from '../test/e2e/chromium.ts';
import { measureHost } from './editorHost.ts';
import { measureSessionPage, stopServer } from './editorPage.ts';
import { type Figure, toFigure } from './figure.ts';
import { recordLongSession, writeCodexSession } from './longSessions.ts';
import { fillSessions } from './queries.ts';

const sessionCount = 10_000;
/** Of the file, of which half is what Codex keeps for its own display; of what was recorded, all is conversation. */
const longBytes = 50_000_000;
const fileThread = '01a1fe9f-96dd-7fa2-82b2-202fc808e71c';
const shortThread = '01a1fe9f-96dd-7fa2-82b2-202fc808e71d';
const recordedThread = '01a1fea1-a2f3-7353-92b7-28c95153d9d0';

/** Needs Chromium, and code-server, which is installed when it is not there. */
export async function measureEditor(): Promise<Figure[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'coach-perf-editor-'));
  const browser = await launchBrowser(scratch);
  try {
    const codexHome = join(scratch, 'codex');
    const env = { ...process.env, COACH_HOME: join(scratch, 'coach'), CODEX_TRACE_HOME: codexHome, PROXY_PORT: '0' };
    mkdirSync(env.COACH_HOME, { mode: 0o700 });
    const { tracesDb } = coachPaths(env);
    new TraceStore(tracesDb).dispose();
    fillSessions(tracesDb, sessionCount, 1);
    const { vsix, figure } = await measurePackages(scratch);
    // First of all: a window must not find a server that another measurement has started.
    const host = await measureHost(browser, { vsix, scratch, env });
    await stopServer(env);
    writeCodexSession(codexHome, fileThread, longBytes);
    writeCodexSession(codexHome, shortThread, 1);
    recordLongSession(tracesDb, recordedThread, longBytes);
    const common = { shortId: shortThread, scratch };
    const pages = [
      ...(await measureSessionPage(browser, env, { name: 'recorded session', sessionId: recordedThread, ...common })),
      ...(await measureSessionPage(browser, env, { name: 'Codex’s own file', sessionId: fileThread, ...common })),
    ];
    return [...host, ...pages, figure];
  } finally {
    await browser.close();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** One package for each target; `vsix` is that of this machine. */
async function measurePackages(scratch: string): Promise<{ vsix: string; figure: Figure }> {
  const sizes = new Map<Target, number>();
  let vsix = '';
  for (const target of Object.keys(targets).filter(isTarget)) {
    const file = await packageExtension(target, join(scratch, `${target}.vsix`));
    if (target === hostTarget()) vsix = file;
    sizes.set(target, statSync(file).size / 1_000_000);
  }
  const figure = toFigure({
    figure: 'VSIX, the largest of all targets',
    unit: 'MB',
    ours: Math.max(...sizes.values()),
    goal: 'at most 8 MB',
    reach: ours => ours <= 8,
    note: [...sizes].map(([target, megabytes]) => `${target} ${megabytes.toFixed(2)}`).join(', '),
  });
  return { vsix, figure };
}
