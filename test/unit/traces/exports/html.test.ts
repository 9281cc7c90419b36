import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toSessionHtml } from '../../../../server/traces/exports/html/page.ts';
import { anExchange, anItem, aReader, aRichSession } from '../sessions/aReader.ts';

const hostile = [
  '<script>document.title="owned"</script>',
  '</pre></details><img src=x onerror="alert(1)">',
  '"><style>*{display:none}</style>',
  '\u001b[31mred\u001b[0m\u0007',
  'safe\u202Egnp.exe\u2066',
  '</script><!-- ',
  '&lt;b&gt;',
].join('\n');

function pageOf(text: string): string {
  const said = (['user', 'assistant', 'reasoning', 'system', 'other'] as const).map(kind => anItem(1, kind, text));
  const call = anItem(1, 'toolCall', text, { toolName: text, callId: 'c1' });
  const output = anItem(1, 'toolOutput', text, { callId: 'c1' });
  const exchange = anExchange(1, { error: text });
  return toSessionHtml(
    aReader([exchange], [...said, call, output], { title: text, agent: text, repository: text, models: [text] }),
    'session-1',
  );
}

describe('a session as one HTML file', () => {
  it('shows hostile text as text, wherever it stands', () => {
    const page = pageOf(hostile);
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page.match(/<style/g)).toHaveLength(1);
    expect(page).not.toMatch(/<img|onerror="/);
    expect(page).not.toMatch(/[\u001b\u0007\u202e\u2066]/);
    expect(page).toContain('␛[31mred');
    expect(page).toContain('safe[U+202E]gnp.exe');
    expect(page).toContain('&amp;lt;b&amp;gt;');
  });

  it('allows its own script and style by their hashes, and nothing else', () => {
    const page = toSessionHtml(aRichSession(), 'session-1');
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1]?.replaceAll('&#39;', "'");
    const hashOf = (tag: string) => {
      const text = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(page)?.[1] ?? '';
      return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    };
    expect(policy).toBe(
      `default-src 'none'; style-src ${hashOf('style')}; script-src ${hashOf('script')}; base-uri 'none'; form-action 'none'`,
    );
    expect(page).not.toMatch(/(?:src|href)="(?!#)|https?:\/\/(?!api\.openai)/);
  });

  it('has the tokens, cost and waiting of each exchange, and a dash where nothing was reported', () => {
    const page = toSessionHtml(aRichSession(), 'session-1');
    const rows = page.split('<section').slice(1);
    expect(rows).toHaveLength(4);
    expect(rows[1]).toContain('</span>2,000</span>');
    expect(rows[1]).toContain('</span>45 %</span>');
    expect(rows[2]).toContain('Rate limit reached');
    expect(rows[2]).toContain('</span>–</span>');
    expect(rows[3]).toContain('</span>unpriced</span>');
    expect(page).toContain('<ins>+  const digits');
  });

  it('shows a call with its output once, and says when it failed', () => {
    const page = toSessionHtml(aRichSession(), 'session-1');
    expect(page.match(/FAIL test\/billing/g)).toHaveLength(60);
    expect(page.match(/>failed</g)).toHaveLength(1);
  });

  it('leaves out the middle of a long text and the end of a long line, and says how much', () => {
    const text = `begin ${'x'.repeat(10_000_000)} end`;
    const page = toSessionHtml(aReader([anExchange(1)], [anItem(1, 'assistant', text)]), 'session-1');
    expect(page.length).toBeLessThan(50_000);
    expect(page).toMatch(/\[… [\d,]+ of 10,000,010 characters left out …\]/);
    expect(page).toContain('more characters in this line');
  });

  it('cuts names and messages as well', () => {
    expect(pageOf('y'.repeat(1_000_000)).length).toBeLessThan(200_000);
  });

  it('stays small enough to open for a session of 100 MB', () => {
    const items = Array.from({ length: 5000 }, (_, number) =>
      anItem(1, 'assistant', `${number} ${'word '.repeat(4000)}`),
    );
    const page = toSessionHtml(aReader([anExchange(1)], items), 'session-1');
    expect(page.length).toBeLessThan(40_000_000);
    expect(page).toContain('4999 word');
  });

  it('shows a session of more exchanges than a call has room for arguments', { timeout: 30_000 }, () => {
    const exchange = anExchange(1);
    expect(toSessionHtml(aReader(Array(200_000).fill(exchange), []), 'session-1')).toContain('id="x200000"');
  });

  it('says so when nothing was said', () => {
    expect(toSessionHtml(aReader([], []), 'session-1')).toContain('Nothing was said in this session.');
  });
});
