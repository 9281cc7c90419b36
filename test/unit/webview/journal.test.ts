import { expect, it } from 'vitest';
import { printable } from '../../../webview/pages/run/journal.ts';

it('makes control characters visible and keeps lines and tabs', () => {
  expect(printable('a\u001b[31mred\u0007\n\tb\u007f')).toBe('a␛[31mred␇\n\tb␡');
});

it('bounds what one line of an agent can take of the page', () => {
  expect(printable('x'.repeat(5000))).toHaveLength(2001);
});
