import { expect, it } from 'vitest';
import { shortTitle } from '../../../client/views/shortTitle.ts';

it('leaves a short title whole, and cuts a long one between words', () => {
  expect(shortTitle('Refunds in JPY')).toBe('Refunds in JPY');
  expect(shortTitle('Refunds in JPY arrive with two decimals')).toBe('Refunds in JPY arrive with two…');
  expect(shortTitle('x'.repeat(33))).toBe(`${'x'.repeat(31)}…`);
  expect(shortTitle('🦀'.repeat(40))).toBe(`${'🦀'.repeat(31)}…`);
});
