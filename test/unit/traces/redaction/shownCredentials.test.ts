import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { Redactor } from '../../../../server/traces/redaction/redaction.ts';
import { maxNewPerMinute, ShownCredentials } from '../../../../server/traces/redaction/shownCredentials.ts';
import type { HttpHead } from '../../../../server/traces/wire/httpHead.ts';

const headOf = (key: string): HttpHead => ({ startLine: ['POST', '/', 'HTTP/1.1'], headers: [['x-api-key', key]] });

it('hides a key that is shown again and again once, and of keys made for one request each a few', () => {
  const redactor = new Redactor();
  const shown = new ShownCredentials(redactor);
  const key = randomBytes(16).toString('hex');
  const hide = (value: string, atMs = 0) => shown.hide(headOf(value), atMs);
  expect([hide(key), hide(key)]).toEqual([[key], []]);
  expect(redactor.text(`It is ${key}.`)).toBe('It is [redacted].');
  const others = Array.from({ length: 100 }, () => randomBytes(16).toString('hex'));
  expect(others.flatMap(value => hide(value))).toHaveLength(maxNewPerMinute - 1);
  expect(hide('the-key-of-a-later-minute', 60_000)).toHaveLength(1);
});
