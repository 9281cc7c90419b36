import { expect, it } from 'vitest';
import { pageHtml } from '../../../client/panels/html.ts';

const source = {
  page: 'run',
  title: 'Run: <add-median>',
  facts: { runId: '"><script>alert(1)</script>' },
  language: 'en',
  cspSource: 'https://webview.test',
  asset: (name: string) => `https://webview.test/${name}`,
};

it('lets a page load its own bundle and nothing else', () => {
  const html = pageHtml(source);
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
  const nonce = /script nonce="([^"]+)"/.exec(html)?.[1];
  expect(policy).toBe(
    `default-src 'none'; style-src https://webview.test 'nonce-${nonce}'; script-src 'nonce-${nonce}'`,
  );
  expect(html).not.toContain('unsafe-');
});

it('has a new nonce for every page', () => {
  const nonceOf = (html: string) => /script nonce="([^"]+)"/.exec(html)?.[1];
  expect(nonceOf(pageHtml(source))).not.toBe(nonceOf(pageHtml(source)));
});

it('keeps hostile text inside its attribute', () => {
  expect(pageHtml(source)).toContain('<title>Run: &lt;add-median></title>');
  expect(pageHtml(source)).toContain('data-run-id="&quot;>&lt;script>alert(1)&lt;/script>"');
});
