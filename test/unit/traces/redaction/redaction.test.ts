import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { secretsOf } from '../../../../protocol/secretVariables.ts';
import { countedPath } from '../../../../server/traces/dialects/sideTraffic.ts';
import { Redactor } from '../../../../server/traces/redaction/redaction.ts';

const key = `sk-ant-${'oat01-'}${'Ab3'.repeat(10)}`;

describe('redaction of JSON', () => {
  const redactor = new Redactor();

  it('hides what a name proves, and keeps what only shares a word with it', () => {
    expect(
      redactor.json({
        input: { key: 'Enter', token: 'Hello', keys: ['a'], password: 'hunter', description: 'The api_key: see below' },
        api_key: 'plain words',
        env: { GITHUB_TOKEN: 'short1', GITHUB_TOKEN_TYPE: 'bearer', HOME: '/home/ada' },
        headers: { Authorization: 'x', cookie: 'a=b' },
      }),
    ).toEqual({
      input: {
        key: 'Enter',
        token: 'Hello',
        keys: ['a'],
        password: '[redacted]',
        description: 'The api_key: see below',
      },
      api_key: '[redacted]',
      env: { GITHUB_TOKEN: '[redacted]', GITHUB_TOKEN_TYPE: 'bearer', HOME: '/home/ada' },
      headers: { Authorization: '[redacted]', cookie: '[redacted]' },
    });
  });

  it('knows the value of a pair by the name beside it', () => {
    const pair = (name: string, value: unknown) => ({ value, name, type: 'plain' });
    expect(redactor.json([pair('DB_PASSWORD', 'p4ssW0rd'), pair('color', 'p4ssW0rd'), pair('DB_PASSWORD', 1)])).toEqual(
      [pair('DB_PASSWORD', '[redacted]'), pair('color', 'p4ssW0rd'), pair('DB_PASSWORD', 1)],
    );
    expect(redactor.json({ Key: 'Cookie', Value: 'a=b' })).toEqual({ Key: 'Cookie', Value: '[redacted]' });
  });

  it('gives the same value back where there is nothing to hide', () => {
    const value = { list: [{ text: 'ordinary '.repeat(100), count: 1, none: null }, ['a']] };
    expect(redactor.json(value)).toBe(value);
    expect(redactor.json({ ...value, more: [key] })).toEqual({ ...value, more: ['[redacted]'] });
  });

  it('hides a secret that is the name of a field', () => {
    expect(redactor.json({ [key]: 1 })).toEqual({ '[redacted]': 1 });
  });

  it('ends where JSON is nested beyond all use', () => {
    let deep: unknown = key;
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    expect(JSON.stringify(redactor.json(deep))).toMatch(/^\[+"\[nested too deep\]"\]+$/);
  });

  it('looks again at texts it knew as clean when a new secret is told', () => {
    const own = new Redactor();
    const text = `${'words '.repeat(100)}the-new-value`;
    expect(own.text(text)).toBe(text);
    own.hide('the-new-value');
    expect(own.text(text)).toMatch(/\[redacted\]$/);
  });

  it('gives for a text with a secret the same again, until that is none any more', () => {
    const own = new Redactor();
    const token = 'fresh-token-of-a-launch';
    const text = `${'words '.repeat(100)}${token}`;
    own.hide(token);
    expect([own.text(text), own.text(text)]).toEqual(Array(2).fill(`${'words '.repeat(100)}[redacted]`));
    own.forget(token);
    expect(own.text(text)).toBe(text);
  });

  it('keeps hiding a token until it is forgotten', () => {
    const own = new Redactor();
    const token = 'fresh-token-of-a-launch';
    own.hide(token, true);
    expect(own.text(`words ${token}`)).toBe('words [redacted]');
    expect(own.json({ [token]: [`${token}.`] })).toEqual({ '[redacted]': ['[redacted].'] });
    own.forget(token);
    expect(own.text(`words ${token}`)).toBe(`words ${token}`);
  });

  it('blanks parameters of a query', () => {
    expect(redactor.target('/v1/x?key=short&alt=sse&access_token=a')).toBe(
      '/v1/x?key=[redacted]&alt=sse&access_token=[redacted]',
    );
  });
});

it('leaves a model’s signature of its own thoughts alone', () => {
  const signature = randomBytes(300).toString('base64');
  for (const name of ['signature', 'thoughtSignature', 'thought_signature', 'encrypted_content']) {
    const block = { type: 'thinking', thinking: 'Hm.', [name]: signature };
    expect(new Redactor().json(block)).toEqual(block);
    expect(new Redactor().text(JSON.stringify(block))).toBe(JSON.stringify(block));
  }
});

it('takes the secret values of an environment by their names', () => {
  const env = {
    OPENAI_API_KEY: 'from-the-shell',
    db_password: 'eight888',
    PATH: '/usr/bin:/bin',
    TOKEN: 'short',
    HOME: '/h',
  };
  expect(secretsOf(env)).toEqual(['from-the-shell', 'eight888']);
});

it.each([
  ['/v1/responses/resp_0123456789abcdef01', '/v1/responses/:id'],
  ['/v1/organizations/0b24f6a0-0000-4000-8000-000000000001/usage', '/v1/organizations/:id/usage'],
  ['/api/users/12345', '/api/users/:id'],
  ['/v1/models', '/v1/models'],
  ['/v1beta/models/gemini-2.5-pro', '/v1beta/models/gemini-2.5-pro'],
  ['/codex/analytics-events/events', '/codex/analytics-events/events'],
])('counts %s as %s', (path, counted) => expect(countedPath(path)).toBe(counted));
