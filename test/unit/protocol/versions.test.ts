import { expect, it } from 'vitest';
import { compareVersions } from '../../../protocol/versions.ts';

it('orders versions by number, not by text', () => {
  expect(compareVersions('0.9.0', '0.10.0')).toBeLessThan(0);
  expect(compareVersions('1.0.0', '0.10.9')).toBeGreaterThan(0);
  expect(compareVersions('1.2.3', '1.2.3')).toBe(0);
});
