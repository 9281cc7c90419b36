import { expect, it } from 'vitest';
import { matchingTexts, phrasesOf } from '../../../../server/traces/search/wordMatch.ts';

const snippetOf = (text: string, words: string) => matchingTexts([[1, text]], phrasesOf(words), 1)[0]?.snippet ?? '';

it('shows a piece of a readable length around what matches, however long the words beside it are', () => {
  const between = snippetOf(`${'x'.repeat(2_000_000)} heron ${'y'.repeat(2_000_000)}`, 'heron');
  expect(between).toMatch(/^…x{90,} «heron» y{150,}…$/);
  expect(between.length).toBeLessThan(310);
  const long = snippetOf(`before ${'zebra'.repeat(2000)} after`, 'zebra'.repeat(2000));
  expect(long).toMatch(/^before «(?:zebra){50,}[zebra]*…»$/);
  expect(long.length).toBeLessThan(310);
});

it('cuts no character in two, and takes quotation marks of a text for no match', () => {
  const wide = snippetOf(`${'𝕏'.repeat(500)} ibis ${'a𝕏'.repeat(500)}`, 'ibis');
  expect(wide).toContain('«ibis»');
  expect(wide.isWellFormed()).toBe(true);
  expect(snippetOf(`«quoted» ${'z'.repeat(400)} stork`, 'stork')).toMatch(/^…z+ «stork»$/);
  expect(snippetOf('«quoted» stork', 'stork')).toBe('«quoted» «stork»');
});
