import type { Language } from './language.ts';

export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'punctuation';
  readonly text: string;
  readonly offset: number;
  /** 1-based. */
  readonly line: number;
  readonly isFirstOnLine: boolean;
}

const word = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const number = /(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)[a-zA-Z]*/y;
const regex = /\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;

/**
 * The tokens of a source file, comments left out. Not a parser: strings with code in them (templates, f-strings) are
 * one token, so that nothing in them is touched.
 */
export function tokensOf(text: string, language: Language): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let isFirstOnLine = true;
  for (let offset = 0; offset < text.length; ) {
    const space = match(/\s+/y, text, offset) ?? match(language.comment, text, offset);
    const found = space === null ? tokenAt(text, offset, language, tokens.at(-1)) : null;
    if (found !== null) {
      tokens.push({ ...found, offset, line, isFirstOnLine });
      isFirstOnLine = false;
    }
    const part = space ?? found?.text ?? text.charAt(offset);
    const breaks = part.split('\n').length - 1;
    line += breaks;
    isFirstOnLine ||= space !== null && breaks > 0;
    offset += part.length;
  }
  return tokens;
}

function tokenAt(
  text: string,
  offset: number,
  language: Language,
  previous: Token | undefined,
): Pick<Token, 'kind' | 'text'> | null {
  const string = match(language.string, text, offset);
  if (string !== null) return { kind: 'string', text: string };
  const name = match(word, text, offset);
  if (name !== null) return { kind: 'word', text: name };
  const digits = match(number, text, offset);
  if (digits !== null) return { kind: 'number', text: digits };
  // A regular expression stands where a value may, so never after one.
  const pattern = language.hasRegex && !isValueEnd(previous, language) ? match(regex, text, offset) : null;
  if (pattern !== null) return { kind: 'string', text: pattern };
  const punctuation = match(language.punctuation, text, offset);
  return punctuation === null ? null : { kind: 'punctuation', text: punctuation };
}

/** Whether a token can end a value, so that an operator after it has two sides. */
export function isValueEnd(token: Token | undefined, { keywords }: Language): boolean {
  if (token === undefined) return false;
  if (token.kind === 'punctuation') return [')', ']', '}'].includes(token.text);
  return token.kind !== 'word' || !keywords.has(token.text);
}

function match(pattern: RegExp, text: string, offset: number): string | null {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0] ?? null;
}
