import { expect, it } from 'vitest';
import { createLog } from '../../../server/base/log.ts';
import { findSecrets, redact } from '../../../server/base/redact.ts';

const body = 'Ab3dEf6hIj9kLmNoPqRsTuVwXyZ0123456789abcd';
const secrets = [
  `sk-${body}`,
  `sk-proj-${body}`,
  `sk-ant-api03-${body}`,
  `sk-ant-oat01-${body}`,
  `sk-or-v1-${body}`,
  `ghp_${body}`,
  `github_pat_${body}`,
  `glpat-${body}`,
  `xoxb-${body}`,
  `hf_${body}`,
  `gsk_${body}`,
  `xai-${body}`,
  `AIza${body}`,
  'AKIAABCDEFGHIJKLMNOP',
  `eyJhbGciOiJIUzI1NiJ9.${body}.${body}`,
];

it.each(secrets)('redacts %s wherever it stands', secret => {
  for (const text of [secret, `key=${secret};`, `{"a":"${secret}"}`, `curl -H "x: ${secret}"`]) {
    expect(redact(text)).not.toContain(secret);
  }
  expect(findSecrets(`a\nb ${secret}`)).toEqual([{ line: 2, kind: 'key' }]);
});

it('redacts bearer tokens, passwords in URLs, assignments and known values', () => {
  expect(redact('Authorization: Bearer abcdefghijklmnop')).toBe('Authorization: Bearer [redacted]');
  expect(redact('postgres://ada:hunter22@host/db')).toBe('postgres://ada:[redacted]@host/db');
  expect(redact('DB_PASSWORD=correct-horse')).toBe('DB_PASSWORD=[redacted]');
  expect(redact('the value is plain-known-value', ['plain-known-value'])).toBe('the value is [redacted]');
});

it('leaves ordinary text and code alone', () => {
  const text = 'const token = next(); // sk-8 skips; risk-free; http://127.0.0.1:18080/v1 tokens: 12';
  expect(redact(text)).toBe(text);
  expect(findSecrets(text)).toEqual([]);
});

it('takes at most a second for ten megabytes of hostile text', () => {
  const startedMs = performance.now();
  redact('a'.repeat(10_000_000));
  redact('eyJ.'.repeat(1_000_000));
  expect(performance.now() - startedMs).toBeLessThan(5000);
});

it('writes log lines as JSON without the secret', () => {
  const lines: string[] = [];
  const log = createLog(line => void lines.push(line), { debug: true }).child({ run: 'r1' });
  log.warn('sent', { header: `Bearer ${body}`, error: new Error(`bad key sk-${body}`) });
  expect(lines.join('')).not.toContain(body);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', message: 'sent', run: 'r1' });
});
