import fc from 'fast-check';
import { expect, it } from 'vitest';
import { beginningOf } from '../../../../server/traces/sessions/beginning.ts';
import { toTitle } from '../../../../server/traces/sessions/conversationId.ts';

it.each([
  ['an emoji', '🦜'],
  ['a family of emoji', '👩‍👩‍👧'],
  ['a letter with a mark', 'e\u0301'],
])('cuts a title before %s that does not fit', (_, character) => {
  const before = 'a'.repeat(118);
  expect(toTitle(`${before}${character}${'b'.repeat(20)}`)).toBe(`${before}…`);
  expect(toTitle(`${'a'.repeat(119 - character.length)}${character}${'b'.repeat(20)}`)).toBe(
    `${'a'.repeat(119 - character.length)}${character}…`,
  );
});

it('is at most that long, begins the text and leaves no half of a character, whatever the text', () => {
  const texts = fc.array(
    fc.constantFrom('a', '🦜', '\u0301', '👩‍👧', '\u200d', ' ', '🦜\u0301'.repeat(20), '\u200d🦜'.repeat(20)),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(texts, fc.nat({ max: 80 }), (pieces, length) => {
      const text = pieces.join('');
      const beginning = beginningOf(text, length);
      expect(beginning.length).toBeLessThanOrEqual(length);
      expect(text.startsWith(beginning)).toBe(true);
      expect(beginning.isWellFormed()).toBe(true);
    }),
  );
});
