import { behindEscape } from './escapes.ts';
import type { LongRun } from './longRuns.ts';
import { secretShapes, webToken } from './secretShapes.ts';
import type { SecretSpan } from './secretSpan.ts';

/** Looks at one place where a secret may begin. `at`: behind the prefix. Null when there is none. */
type Reader = (text: string, at: number, start: number) => SecretSpan | { readonly skip: number } | null;

const readers = new Map<string, readonly Reader[]>();

/** More than any shape has before its prefix. */
const maxBefore = 32;

for (const { kind, prefixes, before = '', tail, anywhere, needsDigit } of secretShapes) {
  const pattern = new RegExp(tail, 'y');
  const beginning = new RegExp(`${before}$`);
  for (const prefix of prefixes) {
    add(prefix, (text, at, start) => {
      if (!anywhere && before === '' && !isBoundary(text, start)) return null;
      const end = matchEnd(pattern, text, at);
      if (end === null) return null;
      if (needsDigit && !/\d/.test(text.slice(at, end))) return { skip: end };
      const own = before === '' ? 0 : beginning.exec(text.slice(Math.max(0, start - maxBefore), start))?.[0].length;
      return own === undefined ? null : { start: start - own, end, kind };
    });
  }
}
add(webToken, readWebToken);

/** Every fixed beginning at once: one pass of plain comparison, whatever number of shapes there are. */
const beginnings = new RegExp(
  [...readers.keys()]
    .sort((a, b) => b.length - a.length)
    .map(prefix => prefix.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
    .join('|'),
  'g',
);
/** A shorter prefix of a longer one stands where the longer does. */
const readersAt = new Map(
  [...readers.keys()].map(prefix => [
    prefix,
    [...prefix].flatMap((_, index) => {
      const other = prefix.slice(0, prefix.length - index);
      const reader = readers.get(other);
      return reader === undefined ? [] : [[other, reader] as const];
    }),
  ]),
);

/** Secrets known by how they look. `runs`: the long runs of the text. */
export function shapedSecrets(text: string, runs: readonly LongRun[]): SecretSpan[] {
  const found = [...pemBlocks(text), ...urlPasswords(text), ...credentials(text), ...clientSecrets(text)];
  for (const run of runs) readRun(text, run, found);
  return found.sort((a, b) => a.start - b.start);
}

function readRun(text: string, { start: from, end: until }: LongRun, found: SecretSpan[]): void {
  const run = text.slice(from, until);
  if (text[from - 1] === ':' && isBotToken(text, from)) found.push({ start: from, end: from + 35, kind: 'key' });
  const start = behindEscape(text, from);
  const end = matchEnd(discordToken, text, start);
  if (end !== null) found.push({ start, end, kind: 'key' });
  beginnings.lastIndex = 0;
  for (let match = beginnings.exec(run); match !== null; match = beginnings.exec(run)) {
    const start = from + match.index;
    let next = start + 1;
    for (const [prefix, candidates] of readersAt.get(match[0]) ?? []) {
      const read = firstOf(candidates, text, start + prefix.length, start);
      if (read === null) continue;
      if ('kind' in read) found.push(read);
      next = Math.max(next, 'kind' in read ? read.end : read.skip);
      break;
    }
    beginnings.lastIndex = next - from;
  }
}

const botSecret = /(?=[\w-]{0,34}[a-z])(?=[\w-]{0,34}[A-Z])(?=[\w-]{0,34}\d)[\w-]{35}(?![\w-])/y;

/** A Telegram bot's: its number, a colon and 35 signs without a beginning of their own. */
function isBotToken(text: string, at: number): boolean {
  botSecret.lastIndex = at;
  return botSecret.test(text) && /(?<!\d)\d{8,10}:$/.test(text.slice(Math.max(0, at - 12), at));
}

/** Of a Discord bot: the digits of its id in base64, a time and a signature. Without a fixed beginning. */
const discordToken = /(?:[MNO][DTjz][AEIMQUYcgk][wxyz0-5]){4,6}[A-Za-z0-9]{0,4}\.[\w-]{6}\.[\w-]{27,38}(?![\w-])/y;

const clientSecret = /[\w~.-]{31,34}(?![\w~-])/y;

/** Of an application of Microsoft Entra: known by a digit, `Q~` in its fourth to sixth place. */
function clientSecrets(text: string): SecretSpan[] {
  const found: SecretSpan[] = [];
  for (let at = text.indexOf('Q~'); at >= 0; at = text.indexOf('Q~', at + 2)) {
    const end = matchEnd(clientSecret, text, at + 2);
    if (end === null || !/[\w~.-]{3}\d$/.test(text.slice(Math.max(0, at - 4), at))) continue;
    found.push({ start: at - 4, end, kind: 'key' });
  }
  return found;
}

function firstOf(candidates: readonly Reader[], text: string, at: number, start: number) {
  for (const candidate of candidates) {
    const read = candidate(text, at, start);
    if (read !== null) return read;
  }
  return null;
}

function add(prefix: string, reader: Reader): void {
  readers.set(prefix, [...(readers.get(prefix) ?? []), reader]);
}

function matchEnd(sticky: RegExp, text: string, at: number): number | null {
  sticky.lastIndex = at;
  return sticky.test(text) ? sticky.lastIndex : null;
}

/** Whether a word can begin here: also behind an escaped line end, a percent-encoded sign or a terminal's colour. */
export function isBoundary(text: string, at: number): boolean {
  const before = text[at - 1];
  if (before === undefined || !/[A-Za-z0-9]/.test(before)) return true;
  return /(?:\\[nrtbf]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}|\[[0-9;]{0,8}m)$/.test(text.slice(Math.max(0, at - 12), at));
}

const webTokenTail = /[\w-]{8,}\.[\w-]*\.[\w-]{4,}(?:\.[\w-]+){0,2}/y;

function readWebToken(text: string, at: number, start: number): SecretSpan | null {
  // A run of word characters is looked at once, not from every `eyJ` in it.
  if (/[\w-]/.test(text[start - 1] ?? ' ') && !(isBoundary(text, start) && text[start - 1] !== '-')) return null;
  const end = matchEnd(webTokenTail, text, at);
  return end === null ? null : { start, end, kind: 'key' };
}

const pemBegin = '-----BEGIN ';
const pemEnd = '-----END ';
/** Longest PEM block that is taken for one. */
const maxPemLength = 64 * 1024;
const pemLabel = /[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/y;
/** What stands in a block that was cut off: base64, its headers, line numbers, escaped line ends. */
const pemBody = /[A-Za-z0-9+/=\s\\:,.|]*/y;
const pemClose = /-----END [A-Z0-9 ]{0,50}-----/y;

function pemBlocks(text: string): SecretSpan[] {
  const found: SecretSpan[] = [];
  let close = -1;
  for (let start = text.indexOf(pemBegin); start >= 0; start = text.indexOf(pemBegin, start + 1)) {
    const body = matchEnd(pemLabel, text, start + pemBegin.length);
    if (body === null) continue;
    if (close < body) {
      const next = text.indexOf(pemEnd, body);
      close = next < 0 ? Number.POSITIVE_INFINITY : next;
    }
    const end = close - body <= maxPemLength ? matchEnd(pemClose, text, close) : null;
    found.push({ start, end: end ?? matchEnd(pemBody, text, body) ?? body, kind: 'private key' });
  }
  return found;
}

const userAndPassword = /[^\s/:@"'<>\\`]{0,200}:([^\s/@"'<>\\`]{3,200})@/y;

function urlPasswords(text: string): SecretSpan[] {
  const found: SecretSpan[] = [];
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    userAndPassword.lastIndex = at + 3;
    const password = userAndPassword.exec(text)?.[1];
    if (password === undefined || /^[$[{(*]/.test(password)) continue;
    const end = userAndPassword.lastIndex - 1;
    found.push({ start: end - password.length, end, kind: 'password in URL' });
  }
  return found;
}

const scheme = /[Bb](?:earer|EARER|asic|ASIC) {1,3}/g;
const bearerToken = /[A-Za-z0-9._~+/=-]{12,}/y;
const basicPair = /[A-Za-z0-9+/]{6,}={0,2}/y;

/** `Bearer …` and `Basic …` as in headers. */
function credentials(text: string): SecretSpan[] {
  const found: SecretSpan[] = [];
  scheme.lastIndex = 0;
  for (let match = scheme.exec(text); match !== null; match = scheme.exec(text)) {
    const start = match.index + match[0].length;
    const isBasic = /^basic/i.test(match[0]);
    const end = matchEnd(isBasic ? basicPair : bearerToken, text, start);
    if (end === null) continue;
    const value = text.slice(start, end);
    const inHeader = /[:=]\s{0,2}\\?["']?$/.test(text.slice(Math.max(0, match.index - 4), match.index));
    if (isBasic ? isNameAndPassword(value) : inHeader || isToken(value))
      found.push({ start, end, kind: 'credentials' });
  }
  return found;
}

/** "Bearer authentication" is none; one has a digit, or is long and mixed. */
function isToken(value: string): boolean {
  return /\d/.test(value) || (value.length >= 24 && /[a-z]/.test(value) && /[A-Z]/.test(value));
}

function isNameAndPassword(base64: string): boolean {
  return /^[\x20-\x7e\xa0-\xff]*:/.test(Buffer.from(base64.slice(0, 2000), 'base64').toString('latin1'));
}
