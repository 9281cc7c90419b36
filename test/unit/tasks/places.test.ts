import { expect, it } from 'vitest';
import { toSlug } from '../../../server/tasks/places.ts';

it.each([
  ['Add a median()', 'add-a-median'],
  ['Refuse fractions of a cent instead of dropping them', 'refuse-fractions-of-a-cent-instead-of-dropping'],
  ['Refuse fractions of a cent instead of droppingss them', 'refuse-fractions-of-a-cent-instead-of-droppingss'],
  ['x'.repeat(60), 'x'.repeat(48)],
  ['Größe – ändern', 'gro-e-a-ndern'],
  ['…', 'task'],
])('names the directory of %j %j', (title, name) => {
  expect(toSlug(title)).toBe(name);
});
