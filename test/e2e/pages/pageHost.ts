import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { pageHtml } from '../../../client/panels/html.ts';
import { serve } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { portChannel } from '../../../protocol/channels/port.ts';
import { serverLink } from '../../../protocol/pages.ts';
import { root } from '../../../scripts/root.ts';
import { type Theme, themeCss } from './theme.ts';

const origin = 'http://127.0.0.1:9';

export interface OpenPage {
  readonly page: Page;
  readonly channel: Channel;
  /** Complaints of the browser: content policy, errors. */
  readonly complaints: string[];
  /** How often the page asked for the server to be started again. */
  readonly restarts: () => number;
  remembered(): unknown;
}

/** A page of ours in a plain browser, with this process as the editor around it. Nothing listens anywhere. */
export async function openPage(
  browser: BrowserContext,
  options: {
    page: string;
    facts: Record<string, string>;
    theme: Theme;
    translations?: Readonly<Record<string, string>>;
  },
): Promise<OpenPage> {
  const page = await browser.newPage();
  const listeners = new Set<(message: unknown) => void>();
  let state: unknown;
  await page.exposeFunction('toHost', (message: unknown) => listeners.forEach(listener => void listener(message)));
  await page.exposeFunction('keepState', (kept: unknown) => {
    state = kept;
  });
  await page.addInitScript(() => {
    const hooks = window as unknown as { toHost(message: unknown): void; keepState(kept: unknown): void };
    Object.assign(window, {
      acquireVsCodeApi: () => ({
        postMessage: hooks.toHost,
        setState(kept: unknown) {
          sessionStorage.setItem('state', JSON.stringify(kept));
          hooks.keepState(kept);
        },
        // What the page before a reload has left.
        getState: () => JSON.parse(sessionStorage.getItem('state') ?? 'null') ?? undefined,
      }),
    });
  });
  const html = pageHtml({
    page: options.page,
    title: `Codex Coach: ${options.page}`,
    facts: options.facts,
    language: 'en',
    translations: options.translations,
    cspSource: origin,
    asset: name => `${origin}/${name}`,
  }).replace('</head>', `<link rel="stylesheet" href="${origin}/theme.css"></head>`);
  await page.route(`${origin}/**`, route => {
    const name = new URL(route.request().url()).pathname.slice(1);
    if (name === '') return route.fulfill({ contentType: 'text/html', body: html });
    if (name === 'theme.css') return route.fulfill({ contentType: 'text/css', body: themeCss(options.theme) });
    const contentType = name.endsWith('.css') ? 'text/css' : 'text/javascript';
    return route.fulfill({ contentType, body: readFileSync(join(root, 'dist', 'webview', name)) });
  });
  const channel = portChannel({
    post: message => void page.evaluate(sent => window.postMessage(sent, '*'), message).catch(() => undefined),
    onMessage(listener) {
      listeners.add(listener);
      return { dispose: () => void listeners.delete(listener) };
    },
  });
  const complaints: string[] = [];
  page.on('pageerror', error => complaints.push(error.message));
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  let restarts = 0;
  serve(
    serverLink,
    {
      state: () => ({ state: 'up' }),
      restart() {
        restarts++;
        return { done: true };
      },
    },
    channel,
  );
  return { page, channel, complaints, restarts: () => restarts, remembered: () => state };
}

/** Loads the page once its host answers. */
export async function loadPage(page: Page): Promise<void> {
  await page.goto(`${origin}/`);
}
