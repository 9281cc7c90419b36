import { type Browser, chromium } from 'playwright-core';
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
    ],
  });
}
