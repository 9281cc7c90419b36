/** How the value behind a name is written. */
interface Writing {
  /** Where it begins, behind its quote. */
  readonly start: number;
  readonly quote: string;
  /** Backslashes before its quote: those of a string in a string. */
  readonly escapes: number;
  /** `NAME=value` of an environment. */
  readonly isVariable: boolean;
}

interface Ends {
  /** Up to where it is judged: to its first backslash, and to what seems its end where it goes on behind that. */
  readonly judged: readonly number[];
  /** Where it ends if it is secret. */
  readonly whole: () => number;
}

const valueBegin = /[=>]?\s{0,3}(\\{0,7})(["']?)/y;

/** Where a value begins that stands behind a sign. */
export function beginOfValue(text: string, behindSign: number): { begin: number; escapes: number; quote: string } {
  valueBegin.lastIndex = behindSign;
  const [, escapes = '', quote = ''] = valueBegin.exec(text) ?? [];
  return { begin: valueBegin.lastIndex, escapes: escapes.length, quote };
}

/** Enough of a bare value to judge it by: a text of nothing but names and signs is one value after the other. */
const maxJudged = 256;
const sign = /[^\s"'`\\,;(){}[\]<>$&|]/.source;
const escapedSign = /\\{1,16}[^\w\s"'`\\]/.source;
/** In an environment it ends at a blank, a quote or an escape that stands for one. */
const variableSign = /[^\s"'`\\]/.source;
const escapedVariableSign = /\\{1,16}(?:u(?!00(?:[01]|2[027]|60))|[^unrt\s"'`\\])/.source;

const bare = patterns(sign, escapedSign);
const variable = patterns(variableSign, escapedVariableSign);
const firstQuoted: Readonly<Record<string, RegExp>> = { '"': /[^"\\\n]*/y, "'": /[^'\\\n]*/y };

function patterns(plain: string, escaped: string) {
  return {
    first: new RegExp(`${plain}{0,${maxJudged}}`, 'y'),
    judged: new RegExp(`(?:${plain}|${escaped}){0,${maxJudged}}`, 'y'),
    whole: new RegExp(`(?:${plain}|${escaped})*`, 'y'),
  };
}

/** A backslash may end a value, as that of an escaped line end does, or be a part of it. */
export function endsOfValue(text: string, { start, quote, escapes, isVariable }: Writing): Ends {
  const pattern = firstQuoted[quote];
  if (pattern !== undefined) {
    const first = endOf(pattern, text, start);
    const end = text[first] === '\\' ? endOfQuoted(text, first, quote, escapes) : first;
    return { judged: first === end ? [end] : [first, end], whole: () => end };
  }
  const { first: plain, judged, whole } = isVariable ? variable : bare;
  const first = endOf(plain, text, start);
  const goesOn = text[first] === '\\' && first > start;
  return {
    judged: goesOn ? [first, endOf(judged, text, start)] : [first],
    whole: () => endOf(whole, text, start),
  };
}

/** At its quote, which has as many backslashes as the first had, or at an escaped or real line end. */
function endOfQuoted(text: string, from: number, quote: string, escapes: number): number {
  const quoteCode = quote.charCodeAt(0);
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quoteCode || code === 10) return at;
    if (code !== 92) continue;
    const first = at;
    while (text.charCodeAt(at + 1) === 92) at++;
    const count = at + 1 - first;
    const next = text[at + 1] ?? '\n';
    // Two backslashes of the value itself are one.
    const isOdd = (own: number) => Math.floor(own / (escapes + 1)) % 2 === 1;
    if (next === quote && !isOdd(count - escapes)) return at + 1 - Math.min(count, escapes);
    if (/[nrt]/.test(next) && (count <= escapes || isOdd(count))) return first;
    if (next === quote) at++;
  }
  return text.length;
}

function endOf(sticky: RegExp, text: string, at: number): number {
  sticky.lastIndex = at;
  return sticky.test(text) ? sticky.lastIndex : at;
}
