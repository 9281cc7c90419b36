import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { publish } from '../../protocol/api.ts';
import { serverLink } from '../../protocol/pages.ts';
import type { SessionReader } from '../../server/traces/sessions/sessionReader.ts';
import { requireFeature } from '../require.ts';
import { anExchange, anItem, aReader, aRichSession } from '../unit/traces/sessions/aReader.ts';
import { sharedBrowser } from './chromium.ts';
import { loadPage, openPage } from './pages/pageHost.ts';
import { SessionHost } from './pages/sessionHost.ts';
import { screenshots } from './workbench.ts';

describe.skipIf(!requireFeature('browser'))('the session page', { timeout: 60_000 }, () => {
  const browser = sharedBrowser();

  async function openSession(reader: SessionReader, load = true) {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, reducedMotion: 'reduce' });
    onTestFinished(() => context.close());
    const opened = await openPage(context, { page: 'session', facts: { sessionId: 'session-1' }, theme: 'dark' });
    const host = new SessionHost(opened.channel, reader);
    if (load) {
      await loadPage(opened.page);
      // The beginning is shown before the whole is read.
      await opened.page.locator('#end[data-whole="true"]').waitFor({ state: 'attached' });
    }
    return { ...opened, host };
  }

  it('shows each exchange with its figures and what was said in it, tools and outputs folded', async () => {
    const { page, complaints, remembered } = await openSession(aRichSession());
    await page.getByText('Refunds in JPY and KRW arrive').waitFor();
    const figures = page.locator('[data-row="x1"] .n');
    expect(await figures.allTextContents()).toEqual([
      'Tokens in 2,000',
      'Cached 45 %',
      'Out 50',
      'Cost $0.01',
      'First token 1.0 s',
    ]);
    await page.locator('[data-row="x2"]').getByText('Rate limit reached for gpt-5.5.').waitFor();
    await page.locator('[data-figure="Tools"]', { hasText: '3' }).waitFor();
    expect(await page.locator('pre').count()).toBe(0);
    const failed = page.locator('.line.tool', { hasText: 'npx vitest' });
    await failed.getByText('Failed').waitFor();
    await failed.locator('.fold').click();
    await page.locator('pre.out', { hasText: 'FAIL test/billing/refund.test.ts' }).waitFor();
    expect(remembered()).toMatchObject({ sessionId: 'session-1' });
    expect(complaints).toEqual([]);
    await page.screenshot({ path: shot('page-session-dark') });
  });

  it('leads from a tool call to the file and the line it touched', async () => {
    const { page, host } = await openSession(aRichSession());
    await page.locator('.files', { hasText: 'src/billing/refund.ts' }).locator('.link').click();
    await expect
      .poll(() => host.asked)
      .toEqual(['openFile src/billing/refund.ts null const digits = MINOR_UNITS[currency] ?? 2;']);
  });

  it('says what changed since the request before, and warns where the cache was lost', async () => {
    const { page } = await openSession(aRichSession());
    await page.getByText('Since request 1: +1 item, prefix kept').waitFor();
    const lost = page.locator('[data-changes="exchange-3"]');
    await lost.getByText('1 tool changed, prefix lost at item 1').waitFor();
    await lost.click();
    await page.locator('.changes summary', { hasText: 'web_search' }).click();
    await page.locator('.changes pre', { hasText: '{"type":"web_search"}' }).waitFor();
    await page.locator('#show-changes').uncheck();
    await expect.poll(() => page.locator('[data-changes]').count()).toBe(0);
  });

  it('finds words, also in what is folded, and unfolds where they are', async () => {
    const { page } = await openSession(aRichSession());
    await page.keyboard.press('/');
    await page.keyboard.type('CHUNK id');
    await expect.poll(() => page.textContent('#found')).toBe('1 of 1');
    await page.locator('pre.out', { hasText: 'Chunk ID: 1' }).waitFor();
    expect(await page.evaluate(() => (CSS.highlights.get('found') as unknown as Set<Range>).size)).toBe(1);
    await page.fill('#find', 'minor');
    await expect.poll(() => page.textContent('#found')).toBe('1 of 4');
    await page.press('#find', 'Enter');
    await expect.poll(() => page.textContent('#found')).toBe('2 of 4');
    await page.locator('#show-reasoning').uncheck();
    await expect.poll(() => page.textContent('#found')).toBe('2 of 3');
    await page.fill('#find', 'nowhere');
    await expect.poll(() => page.textContent('#found')).toBe('Not found');
  });

  it('opens a session of 50 MB with few rows in the document, wherever it is scrolled to', async () => {
    const reader = aLongSession();
    const { page, host } = await openSession(reader);
    const rows = () => page.locator('#list > [data-row]').count();
    await page.getByText('Prompt 1 of').waitFor();
    expect(await rows()).toBeLessThan(150);
    expect(host.linesSent).toBeLessThan(1000);
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await page.getByText('Prompt 1000 of').waitFor();
    expect(await rows()).toBeLessThan(150);
    await page.fill('#find', 'needle');
    await expect.poll(() => page.textContent('#found')).toBe('1 of 1');
    const found = page.locator('pre', { hasText: 'needle' });
    await found.waitFor();
    expect(await found.evaluate(pre => pre.getBoundingClientRect().top)).toBeLessThan(900);
    expect(await rows()).toBeLessThan(150);
    expect(host.linesSent).toBeLessThan(2000);
  });

  it('comes back as it was left: what was read, searched for, unfolded and hidden', async () => {
    const { page, remembered } = await openSession(aLongSession(300, 3000));
    await page.fill('#find', 'Prompt 28');
    await expect.poll(() => page.textContent('#found')).toBe('1 of 11');
    await page.press('#find', 'Enter');
    await expect.poll(() => page.textContent('#found')).toBe('2 of 11');
    const topOf = (shown: string) =>
      page.locator(shown).evaluate(element => Math.round(element.getBoundingClientRect().top));
    const prompt = await topOf('[data-row="x279"] + .line');
    await page.uncheck('#show-reasoning');
    await page.waitForTimeout(200);
    expect(await topOf('[data-row="x279"] + .line')).toBe(prompt);
    await page.locator('.fold[data-line="839"]').click();
    // In the middle of a long output.
    await page.locator('pre.out').evaluate(output => scrollBy(0, output.getBoundingClientRect().top + 700));
    await page.waitForTimeout(500);
    const output = await topOf('pre.out');
    expect(output).toBeLessThan(-500);
    const left = remembered();
    await page.reload();
    await page.locator('#end[data-whole="true"]').waitFor({ state: 'attached' });
    await expect.poll(() => page.textContent('#found')).toBe('2 of 11');
    await expect.poll(() => topOf('pre.out')).toBe(output);
    expect(await page.inputValue('#find')).toBe('Prompt 28');
    expect(await page.isChecked('#show-reasoning')).toBe(false);
    await page.waitForTimeout(500);
    expect(remembered()).toEqual(left);
  });

  it('begins with what the list of sessions said, while the session is still being read', async () => {
    const reader = aRichSession();
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    const session = JSON.stringify(reader.requireSession(''));
    const facts = { sessionId: 'session-1', session };
    const { page, channel } = await openPage(context, { page: 'session', facts, theme: 'dark' });
    await loadPage(page);
    await page.locator('h1', { hasText: 'Refunds in JPY' }).waitFor();
    await page.getByText('Putting the conversation together…').waitFor();
    new SessionHost(channel, reader);
    await page.reload();
    await page.getByText('End of what was recorded.').waitFor();
  });

  it('moves by exchange with j and k', async () => {
    const { page } = await openSession(aLongSession(200, 100));
    await page.getByText('Prompt 1 of').waitFor();
    const top = (index: number) =>
      page.locator(`[data-row="x${index}"]`).evaluate(row => Math.round(row.getBoundingClientRect().top));
    const bar = () => page.locator('#bar').evaluate(element => Math.round(element.getBoundingClientRect().bottom));
    for (let press = 0; press < 12; press++) {
      await page.keyboard.press('j');
      await page.waitForTimeout(30);
    }
    await expect.poll(async () => Math.abs((await top(12)) - (await bar()))).toBeLessThan(2);
    await page.keyboard.press('k');
    await expect.poll(async () => Math.abs((await top(11)) - (await bar()))).toBeLessThan(2);
  });

  it('shows what was recorded as text, whatever it is', async () => {
    const attack = '<script>document.title="owned"</script><img src=x onerror="document.title=1">\u001b[31m\u202e';
    const items = [
      anItem(1, 'user', attack),
      anItem(1, 'assistant', attack),
      anItem(1, 'toolCall', attack, { toolName: attack, callId: 'c1' }),
      anItem(1, 'toolOutput', `${attack}${'x'.repeat(10_000_000)}`, { callId: 'c1' }),
    ];
    const { page, complaints } = await openSession(aReader([anExchange(1)], items, { title: attack }));
    await page.locator('.fold[data-line="2"]').click();
    await page.locator('pre.out').waitFor();
    expect(await page.locator('img, body script[src=""]').count()).toBe(0);
    expect(await page.title()).not.toMatch(/owned|1/);
    const text = (await page.textContent('#list')) ?? '';
    expect(text).toContain('␛[31m[U+202E]');
    expect(text).not.toMatch(/[\u001b\u202e]/);
    expect(text.length).toBeLessThan(100_000);
    expect(complaints).toEqual([]);
  });

  it('grows while the session goes on, and keeps what is unfolded', async () => {
    const whole = aRichSession();
    const part = aReader(
      whole.exchangesOfSession('').slice(0, 2),
      whole.conversation('').filter(item => item.exchangeId !== 'exchange-4'),
    );
    const { page, host } = await openSession(part);
    const call = page.locator('.line.tool', { hasText: 'npx vitest' });
    await call.getByText('no output').waitFor();
    await page.locator('.fold[data-line="4"]').click();
    await page.locator('pre').first().waitFor();
    host.become(whole);
    await call.getByText('Failed').waitFor();
    await page.getByText('Refund amounts now use').waitFor();
    expect(await page.locator('pre').count()).toBeGreaterThan(0);
  });

  it('exports, opens as text, and says that the server is gone', async () => {
    const { page, channel, host, restarts } = await openSession(aRichSession());
    await page.locator('#export').click();
    await page.locator('#as-text').click();
    await expect.poll(() => host.asked).toEqual(['export', 'openConversation']);
    publish(serverLink, channel, 'changed', { state: 'down' });
    await page.getByText('The background server is not running.').waitFor();
    await page.locator('vscode-button', { hasText: 'Restart' }).click();
    await expect.poll(restarts).toBe(1);
  });
});

/** Exchanges with a prompt, a thought and a tool call each; altogether 50 MB of text unless told otherwise. */
function aLongSession(exchanges = 1000, outputLength = 50_000): SessionReader {
  const output = 'a line of what a tool printed\n'.repeat(Math.ceil(outputLength / 30));
  const numbers = Array.from({ length: exchanges }, (_, index) => index + 1);
  return aReader(
    numbers.map(number => anExchange(number)),
    numbers.flatMap(number => [
      anItem(number, 'user', `Prompt ${number} of ${exchanges}`),
      anItem(number, 'reasoning', 'Think about it.'),
      anItem(number, 'toolCall', '{"cmd":"npm test"}', { toolName: 'exec_command', callId: `c${number}` }),
      anItem(number, 'toolOutput', number === 500 ? `needle\n${output}` : output, { callId: `c${number}` }),
    ]),
  );
}

function shot(name: string): string {
  mkdirSync(screenshots, { recursive: true });
  return join(screenshots, `${name}.png`);
}
