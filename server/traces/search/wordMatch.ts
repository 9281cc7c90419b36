import { openInMemory, type Sqlite } from '../../base/sqlite.ts';

const snippetTokens = 24;
/** Characters of a snippet, and of them before the first match: one word may be as long as its text. */
const snippetLength = 300;
const lengthBefore = 100;
/** Around what matches: no characters (Unicode 23.7), so that no text says them itself. */
const opening = '\ufdd0';
const closing = '\ufdd1';

export interface MatchedText {
  readonly id: number;
  /** Some 300 characters, in which the words stand between « and ». */
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

/**
 * Each word, or quoted run of words, as the tokens that SQLite's unicode61 makes of it. It is asked for them: what joins
 * or parts words in a script is another thing to it than to JavaScript.
 */
export function phrasesOf(words: string): string[][] {
  const quotedOrNot = [...words.matchAll(/"([^"]*)"|[^\s"]+/g)];
  const phrases = quotedOrNot.map(([whole, quoted]) => ({ text: quoted ?? whole, tokens: [] as string[] }));
  const texts = phrases.map(({ text }, index) => [index, text] as const);
  for (const { phrase, token } of withIndex(texts, tokensIn)) phrases[phrase]?.tokens.push(token);
  return phrases.map(({ tokens }) => tokens).filter(tokens => tokens.length > 0);
}

function tokensIn(database: Sqlite): { phrase: number; token: string }[] {
  database.exec('CREATE VIRTUAL TABLE tokens USING fts5vocab (texts, instance)');
  const tokens = database.prepare('SELECT doc AS phrase, term AS token FROM tokens ORDER BY doc, offset');
  return tokens.all() as { phrase: number; token: string }[];
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
  return withIndex(texts, database => {
    const found = database
      .prepare(
        `SELECT rowid AS id, snippet(texts, 0, '${opening}', '${closing}', '…', ${snippetTokens}) AS snippet
         FROM texts WHERE texts MATCH ? ORDER BY rank, rowid DESC LIMIT ?`,
      )
      .all(toMatch(phrases), limit) as MatchedText[];
    return found.map(({ id, snippet }) => ({ id, snippet: toSnippet(snippet) }));
  });
}

/** Reads an index of these texts alone, `texts`, which knows where each word stands. */
function withIndex<T>(texts: Iterable<readonly [id: number, text: string | null]>, read: (database: Sqlite) => T): T {
  const database = openInMemory();
  try {
    database.exec("CREATE VIRTUAL TABLE texts USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2')");
    const put = database.prepare('INSERT INTO texts (rowid, text) VALUES (?, ?)');
    for (const [id, text] of texts) put.run(id, text === null ? null : separated(text));
    return read(database);
  } finally {
    database.close();
  }
}

function toSnippet(found: string): string {
  const text = around(found.replaceAll(gap, '').replaceAll(closing + opening, ''));
  return text.replaceAll(opening, '«').replaceAll(closing, '»');
}

function around(text: string): string {
  if (text.length <= snippetLength) return text;
  const from = Math.max(0, text.indexOf(opening) - lengthBefore);
  const to = from + snippetLength;
  const part = text.slice(from, to).replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '');
  const isOpen = part.lastIndexOf(opening) > part.lastIndexOf(closing);
  return `${from === 0 ? '' : '…'}${part}${to < text.length ? '…' : ''}${isOpen ? closing : ''}`;
}
