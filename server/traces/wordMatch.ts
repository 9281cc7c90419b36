import { openInMemory } from '../base/sqlite.ts';

const snippetTokens = 24;

export interface MatchedText {
  readonly id: number;
  /** The words stand between « and ». */
  readonly snippet: string;
}

/** Chinese, Japanese and Korean: words run on without spaces, or with endings that nobody searches for. */
const runningOn = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/gu;
/** No part of a word for SQLite's unicode61, and nothing to the eye. */
const gap = '\u200b';

/** A text as it is put into an index: each character of a script that runs on is a word of its own. */
export function separated(text: string): string {
  return text.replace(runningOn, `${gap}$&${gap}`);
}

/** Each word, or quoted run of words, as the tokens that SQLite's unicode61 makes of it. */
export function phrasesOf(words: string): string[][] {
  return [...separated(words).matchAll(/"([^"]*)"|[^\s"]+/g)]
    .map(([whole, quoted]) => (quoted ?? whole).match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu) ?? [])
    .filter(tokens => tokens.length > 0);
}

/** A query of SQLite's full-text search for texts that hold all of these phrases. */
export function toMatch(phrases: readonly (readonly string[])[]): string {
  return phrases.map(tokens => `"${tokens.join(' ')}"`).join(' AND ');
}

/** Those of these texts that match, best first, of equal ones the one with the higher number. */
export function matchingTexts(
  texts: Iterable<readonly [id: number, text: string | null]>,
  phrases: readonly (readonly string[])[],
  limit: number,
): MatchedText[] {
  const database = openInMemory();
  try {
    database.exec("CREATE VIRTUAL TABLE texts USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2')");
    const put = database.prepare('INSERT INTO texts (rowid, text) VALUES (?, ?)');
    for (const [id, text] of texts) put.run(id, text === null ? null : separated(text));
    const found = database
      .prepare(
        `SELECT rowid AS id, snippet(texts, 0, '«', '»', '…', ${snippetTokens}) AS snippet
         FROM texts WHERE texts MATCH ? ORDER BY rank, rowid DESC LIMIT ?`,
      )
      .all(toMatch(phrases), limit) as MatchedText[];
    return found.map(({ id, snippet }) => ({ id, snippet: joined(snippet) }));
  } finally {
    database.close();
  }
}

function joined(snippet: string): string {
  return snippet.replaceAll(gap, '').replaceAll('»«', '');
}
