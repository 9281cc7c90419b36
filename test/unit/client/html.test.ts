import { expect, it } from 'vitest';
import { pageHtml } from '../../../client/panels/html.ts';

const source = {
  page: 'run',
  title: 'Run: <add-median>',
  facts: { runId: '"><script>alert(1)</script>' },
  language: 'en',
  translations: undefined,
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

it('hands over the texts of another language as inert text, and nothing in English', () => {
  const german = pageHtml({ ...source, language: 'de', translations: { 'Run “{0}”': '"><img src=x>' } });
  expect(german).toContain('data-translations="{&quot;Run “{0}”&quot;:&quot;\\&quot;>&lt;img src=x>&quot;}"');
  expect(pageHtml(source)).not.toContain('data-translations');
});
