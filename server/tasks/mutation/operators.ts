import type { Language } from './language.ts';
import type { Mutant } from './mutant.ts';
import { isValueEnd, type Token } from './tokens.ts';

type Fault = Pick<Mutant, 'offset' | 'line' | 'operator' | 'before' | 'after'>;

/** Every fault that our operators can plant in a source file, in the order of the text. */
export function faultsIn(text: string, tokens: readonly Token[], language: Language): Fault[] {
  return tokens
    .flatMap((_, at) => [
      ...operatorFault(text, tokens, at, language),
      ...constantFault(tokens, at, language),
      ...negation(text, tokens, at, language),
      ...returnFault(text, tokens, at, language),
    ])
    .filter(fault => fault.before !== fault.after)
    .sort((a, b) => a.offset - b.offset);
}

/** Comparisons, boolean and arithmetic operators become their neighbours. */
function operatorFault(text: string, tokens: readonly Token[], at: number, language: Language): Fault[] {
  const token = tokens[at];
  if (token === undefined || token.kind === 'string' || token.kind === 'number') return [];
  const swap = (operator: Mutant['operator'], table: Readonly<Record<string, string>>): Fault[] =>
    Object.hasOwn(table, token.text) ? [replaced(token, operator, table[token.text] ?? '')] : [];
  const isBinary = isValueEnd(tokens[at - 1], language);
  // `<T>` of types and `<Tag>` have no space around, as comparisons have in formatted code.
  const isSpaced = /\s/.test(text.charAt(token.offset - 1)) && /\s/.test(text.charAt(token.offset + token.text.length));
  const isTagEnd = token.text === '/' && tokens[at + 1]?.text === '>';
  const isPropertyName = tokens[at - 1]?.text === '.' || tokens[at + 1]?.text === ':';
  return [
    ...(isBinary && isSpaced ? swap('comparison', language.comparisons) : []),
    ...(token.kind === 'word' && isPropertyName ? [] : swap('boolean', language.booleans)),
    ...(isBinary && !isTagEnd ? swap('arithmetic', language.arithmetic) : []),
  ];
}

/** A number becomes the next one, a text an empty one. Texts that begin a line are documentation or names of imports. */
function constantFault(tokens: readonly Token[], at: number, language: Language): Fault[] {
  const token = tokens[at];
  if (token?.kind === 'number') {
    return /^\d+(?:\.\d+)?$/.test(token.text) ? [replaced(token, 'constant', String(Number(token.text) + 1))] : [];
  }
  if (token?.kind !== 'string' || token.isFirstOnLine || isImport(tokens, at)) return [];
  const quote = /^['"`]/.exec(token.text)?.[0];
  // Prefixed, triple-quoted, rune and regular expression stay as they are.
  if (quote === undefined || token.text.startsWith(quote.repeat(3)) || (language.name === 'go' && quote === "'"))
    return [];
  return [replaced(token, 'constant', token.text.length > 2 ? quote + quote : `${quote}mutant${quote}`)];
}

function isImport(tokens: readonly Token[], at: number): boolean {
  const before = tokens.slice(Math.max(0, at - 2), at).map(token => token.text);
  return before.some(text => ['from', 'import', 'require'].includes(text));
}

/** The condition of an `if` is turned round. */
function negation(text: string, tokens: readonly Token[], at: number, language: Language): Fault[] {
  const token = tokens[at];
  if (token?.kind !== 'word' || (token.text !== 'if' && token.text !== 'elif')) return [];
  if (language.name === 'script') {
    const end = tokens[at + 1]?.text === '(' ? closing(tokens, at + 1) : null;
    return end === null ? [] : [wrapped(text, tokens, at + 2, end, '!(')];
  }
  // The condition ends where the block begins: `if a, b:` and `if v := f(); v {`.
  const opener = language.name === 'python' ? ':' : '{';
  let from = at + 1;
  let depth = 0;
  for (let end = from; end < tokens.length && (tokens[end]?.line === token.line || depth > 0); end++) {
    const part = tokens[end]?.text ?? '';
    if (depth === 0 && part === opener)
      return end > from ? [wrapped(text, tokens, from, end, opener === ':' ? 'not (' : '!(')] : [];
    if (depth === 0 && part === ';') from = end + 1;
    depth += depthOf(part);
  }
  return [];
}

/** What is returned becomes nothing. */
function returnFault(text: string, tokens: readonly Token[], at: number, language: Language): Fault[] {
  const token = tokens[at];
  const first = tokens[at + 1];
  if (language.nothing === null || token?.kind !== 'word' || token.text !== 'return') return [];
  if (first === undefined || first.line !== token.line || first.text === ';' || first.text === '}') return [];
  let depth = 0;
  let end = at + 1;
  for (; end < tokens.length; end++) {
    const part = tokens[end];
    if (part === undefined) break;
    const begins = part.isFirstOnLine && end > at + 1;
    if (depth === 0 && (part.text === ';' || part.text === '}' || (begins && !continues(part, language)))) break;
    depth += depthOf(part.text);
  }
  const last = tokens[end - 1] ?? first;
  const before = text.slice(first.offset, last.offset + last.text.length);
  return [{ offset: first.offset, line: first.line, operator: 'return', before, after: language.nothing }];
}

/** Whether a line that begins so goes on with the expression of the line before: `?`, `.then(`, `&& b`. */
function continues(token: Token, language: Language): boolean {
  return language.name === 'script' && token.kind === 'punctuation' && !['{', '(', '['].includes(token.text);
}

function replaced({ offset, line, text }: Token, operator: Mutant['operator'], after: string): Fault {
  return { offset, line, operator, before: text, after };
}

/** The tokens from `from` to before `end`, between `opening` and a closing bracket. */
function wrapped(text: string, tokens: readonly Token[], from: number, end: number, opening: string): Fault {
  const [first, last] = [tokens[from], tokens[end - 1]];
  const before = text.slice(first?.offset, (last?.offset ?? 0) + (last?.text.length ?? 0));
  return {
    offset: first?.offset ?? 0,
    line: first?.line ?? 1,
    operator: 'negation',
    before,
    after: `${opening}${before})`,
  };
}

/** Index of the bracket that closes the one at `open`; null when there is none. */
function closing(tokens: readonly Token[], open: number): number | null {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    depth += depthOf(tokens[at]?.text ?? '');
    if (depth === 0) return at;
  }
  return null;
}

function depthOf(text: string): number {
  return ['(', '[', '{'].includes(text) ? 1 : [')', ']', '}'].includes(text) ? -1 : 0;
}
