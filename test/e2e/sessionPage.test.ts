import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { toSessionHtml } from '../../server/traces/exports/html/page.ts';
import type { SessionReader } from '../../server/traces/sessions/sessionReader.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { anExchange, anItem, aReader, aRichSession } from '../unit/traces/sessions/aReader.ts';
import { launchBrowser } from './chromium.ts';

describe.skipIf(!requireFeature('browser'))('an exported session in a browser', { timeout: 60_000 }, () => {
  it('opens from disk without a request or a fault, in light and in dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, faults, requests } = await open(aRichSession(), colorScheme);
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(background).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(31, 31, 31)');
      expect(faults).toEqual([]);
      expect(requests).toEqual([page.url()]);
    }
  });

  it('finds words, also in what is folded, and unfolds where they are', async () => {
    const { page } = await open(aRichSession());
    await page.fill('#find', 'CHUNK id');
    await expect.poll(() => page.textContent('#found')).toBe('1 of 1');
    expect(await page.locator('.current').getAttribute('open')).toBe('');
    await page.fill('#find', 'minor');
    await expect.poll(() => page.textContent('#found')).toBe('1 of 4');
    await page.press('#find', 'Enter');
    expect(await page.textContent('#found')).toBe('2 of 4');
    await page.fill('#find', 'nowhere');
    await expect.poll(() => page.textContent('#found')).toBe('Not found');
  });

  it('hides a kind of text on request, and unfolds everything for print', async () => {
    const { page } = await open(aRichSession());
    await page.uncheck('#tools');
    expect(await page.locator('.tool').first().isVisible()).toBe(false);
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    expect(await page.locator('details:not([open])').count()).toBe(0);
  });

  it('runs nothing of what was recorded', async () => {
    const attack = '<script>document.title="owned"</script><img src="http://127.0.0.1:9/x" onerror="document.title=1">';
    const reader = aReader([anExchange(1)], [anItem(1, 'user', attack), anItem(1, 'toolCall', attack)], {
      title: attack,
    });
    const { page, requests } = await open(reader);
    expect(await page.title()).toBe(attack);
    expect(await page.locator('img').count()).toBe(0);
    expect(requests).toHaveLength(1);
  });
});

async function open(reader: SessionReader, colorScheme: 'light' | 'dark' = 'light') {
  const directory = temporaryDirectory();
  const file = join(directory, 'session.html');
  writeFileSync(file, toSessionHtml(reader, 'session-1'));
  const browser = await launchBrowser(directory);
  onTestFinished(() => browser.close());
  const page: Page = await browser.newPage({ colorScheme });
  const faults: string[] = [];
  const requests: string[] = [];
  page.on('console', message => faults.push(message.text()));
  page.on('pageerror', error => faults.push(error.message));
  page.on('request', request => requests.push(request.url()));
  await page.goto(pathToFileURL(file).href);
  return { page, faults, requests };
}
