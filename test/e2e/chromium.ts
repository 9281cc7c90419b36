import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { findChromium } from '../require.ts';

/** The machine's own Chromium, headless, talking to nobody. */
export function launchBrowser(home: string): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error('No Chromium on this machine.');
  return chromium.launch({
    executablePath,
    headless: true,
    env: { ...process.env, HOME: home } as Record<string, string>,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // The editor asks the extension gallery; without a network it should fail at once.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
}

/** A browser for the tests of a suite, which it registers: there before the first of them, gone after the last. */
export function sharedBrowser(): Pick<Browser, 'newContext'> {
  let home = '';
  let browser: Browser | undefined;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'coach-page-'));
    browser = await launchBrowser(home);
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  });
  return {
    newContext(options) {
      if (browser === undefined) throw new Error('The browser is there in tests only.');
      return browser.newContext(options);
    },
  };
}
