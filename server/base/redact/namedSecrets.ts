import { secretVariable } from '../../../protocol/secretVariables.ts';
import { argumentSecrets } from './argumentSecrets.ts';
import { beginOfValue, endsOfValue } from './namedValue.ts';
import type { SecretSpan } from './secretSpan.ts';

/**
 * Values that are secret because of the name before them: `DB_PASSWORD=…`, `"api_key": "…"`, `x-api-key: …`,
 * `?sig=…`, `--token …`. What the name alone proves is hidden whatever it looks like; behind names that ordinary code
 * uses as well (`token`, `password` in a program) only what looks random is.
 */
/** `Authorization: Token …`: the word before the value. */
const authorizationScheme = /[A-Za-z][A-Za-z-]{2,19} {1,3}(?=\S{12})/y;
const restOfLine = /[^"'`\\\r\n]{0,8192}/y;

/** Proof enough: nothing else is called that. */
const certain =
  /(?:api[_-]?key|secret[_-]?key|secret[_-]?access[_-]?key|client[_-]?secret|(?:access|refresh|id|auth|bearer|session|security)[_-]?token|private[_-]?key(?:[_-]?id)?|(?:account|auth|master|shared-?access|signing|subscription|functions|encryption)[_-]?key)$/i;
const password = /(?:passw(?:or)?d|passphrase|secret|pwd)$/i;
const likely = /(?:token|credentials?|authorization|auth|access[_-]?key)$/i;
/** In a query; elsewhere a signature is proof of something, such as of a model's own thoughts. */
const likelyParameter = /(?:key|signature|sig)$/i;

const ordinaryWord =
  /^(?:passw(?:or)?ds?|passphrase|secrets?|tokens?|string|text|hidden|number|boolean|object|required|optional|null|undefined|none|true|false|unknown|any|self|this|redacted)$/i;

/** `$KEY`, `<your key>`, `%KEY%`, `sk-...`, and the versions of a list of packages. */
const placeholder = /^[$<{[*]|^%[A-Z_]+%$|(?:\.\.\.|\u2026)$|^[\^~]?\d+\.\d+\.\d/;
/** What stands for a secret in an environment: `$KEY`, `${KEY}`, `$(get key)`, `process.env.KEY`, `get_key(…`. */
const reference =
  /^\$(?:[({]|\w+$|[A-Z_][A-Z\d_]*(?![A-Za-z\d_$]))|^(?:process\.env|import\.meta\.env|os\.environ|env|ENV|self|this|settings|config|secrets|vars|args|options)\.[A-Za-z_$][\w$.]*|^[A-Za-z_$][\w$.]*[([]/;
const blank = /^[<{[*]|^%[A-Z_]+%$|(?:\.\.\.|\u2026)$/;
/** Of a name that goes on behind its proof (`TOKEN_TTL_SECONDS`), or counts: a number or a name says nothing. */
const aboutSecrets = /^(?:MAX|MIN|NUM)_|(?<!PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|KEY|PWD|PAT|CREDENTIALS?)$/;
const word = /^(?:\d+|[A-Za-z_$]+(?:\.[A-Za-z_$]+)+)$/;
const passphrase = /^[a-z]{3,10}(?: [a-z]{3,10}){3,7}$/;
const commonWord =
  /\b(?:the|your|you|and|are|for|not|with|must|has|have|had|can|cannot|enter|please|passwords?|secrets?|from|this|that|was|invalid|wrong|match|does|least|characters?|long|used?|user|should|will|when|value|field|required|optional|string|new|old|set)\b/;

const memberAccess = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+/;

/** The last three letters of the names above: most signs are told apart by them alone. */
const lastLetters = new Set(
  [
    'key',
    '_id',
    '-id',
    'yid',
    'ken',
    'ret',
    'ord',
    'swd',
    'pwd',
    'ase',
    'lue',
    'ial',
    'als',
    'ion',
    'uth',
    'kie',
    'ure',
    'sig',
  ].map(letters => packed(letters, 3)),
);

/** Between a sign and the value behind it: spaces, backslashes and a quote. */
const maxBeforeValue = 12;

/** Secrets known by their name. */
export function namedSecrets(text: string): SecretSpan[] {
  const found: SecretSpan[] = [];
  for (const sign of [':', '=']) {
    let next = 0;
    for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, next)) {
      const nameEnd = endOfName(text, at);
      const span = mayBeSecret(text, nameEnd) ? readNamed(text, nameEnd, at) : null;
      if (span !== null) found.push(span);
      // The sign of the next name may be the last of this value.
      next = Math.max(at + 1, (span?.end ?? 0) - maxBeforeValue);
    }
  }
  for (const span of argumentSecrets(text)) found.push(span);
  return found;
}

/** Whether a name ends like one of those above, or is in capitals as in an environment. */
function mayBeSecret(text: string, nameEnd: number): boolean {
  if (lastLetters.has(packed(text, nameEnd))) return true;
  const last = text.charCodeAt(nameEnd - 1);
  const before = text.charCodeAt(nameEnd - 2);
  return (isCapital(last) || isDigit(last)) && (isCapital(before) || before === 95);
}

function isCapital(code: number): boolean {
  return code >= 65 && code <= 90;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Where the name before a sign ends: spaces, a quote and its backslashes may stand between. */
function endOfName(text: string, sign: number): number {
  let end = sign;
  while (end > sign - 3 && text.charCodeAt(end - 1) <= 32) end--;
  const quote = text.charCodeAt(end - 1);
  if (quote === 34 || quote === 39) end--;
  const floor = end - 7;
  while (end > floor && text.charCodeAt(end - 1) === 92) end--;
  return end;
}

/** Three characters up to `end` as one number, capitals as small letters. */
function packed(text: string, end: number): number {
  const first = (text.charCodeAt(end - 3) | 32) << 16;
  const second = (text.charCodeAt(end - 2) | 32) << 8;
  return first | second | text.charCodeAt(end - 1) | 32;
}

/** Names that tell nothing: objects of one kind have the same ones. */
const harmlessNames = new Set<string>();
const maxHarmlessNames = 2000;

/** Whether a member of an object is secret because of its name. */
export function isSecretMember(name: string, value: string): boolean {
  if (value.length < 6 || harmlessNames.has(name)) return false;
  if (![certain, password, likely, secretVariable].some(pattern => pattern.test(name))) {
    if (harmlessNames.size === maxHarmlessNames) harmlessNames.clear();
    harmlessNames.add(name);
    return false;
  }
  const context = { name, tight: false, nameQuoted: true, quoted: true, parameter: false, next: '' };
  return isSecret(value, context);
}

function readNamed(text: string, nameEnd: number, at: number): SecretSpan | null {
  let nameStart = nameEnd;
  while (nameStart > nameEnd - 80 && isNamePart(text.charCodeAt(nameStart - 1))) nameStart--;
  // An escaped line end is no part of the name that follows it.
  if (text[nameStart - 1] === '\\' && /[nrt]/.test(text[nameStart] ?? '')) nameStart++;
  const ownName = text.slice(nameStart, nameEnd);
  const isPair = /^value$/i.test(ownName);
  const name = isPair ? nameInPair(text, nameStart) : ownName;
  if (name === null || /^(?:OLD)?PWD$/.test(name)) return null;
  const { begin, escapes, quote } = beginOfValue(text, at + 1);
  if (/cookie$/i.test(name)) return cookie(text, begin);
  const start = /authorization$/i.test(name) ? begin + read(authorizationScheme, text, begin).length : begin;
  const isTight = text[at] === '=' && at === nameEnd && start - at <= 2 + escapes;
  const isVariable = isTight && !/[?&]/.test(text[nameStart - 1] ?? '') && secretVariable.test(name);
  const ends = endsOfValue(text, { start, quote, escapes, isVariable });
  const context = {
    name,
    tight: isTight || isPair,
    nameQuoted: /["']/.test(text.slice(nameEnd, at)),
    quoted: quote !== '',
    parameter: /[?&;]/.test(text[nameStart - 1] ?? ''),
  };
  const isFound = ends.judged.some(end => isSecret(text.slice(start, end), { ...context, next: text[end] ?? '' }));
  return isFound ? { start, end: ends.whole(), kind: 'credentials' } : null;
}

/** `name: DB_PASSWORD`, then `value: …`, as lists of variables, headers and fields of forms have it. */
const pairBefore =
  /(?<![A-Za-z0-9_])(?:name|key)\\{0,7}["']?\s{0,3}[:=]\s{0,3}\\{0,7}["']?([A-Za-z0-9_.-]{3,80})\\{0,7}["']?(?:[\s,]|\\+[nrt]){1,60}\\{0,7}["']?$/i;
const maxPairLength = 200;

/** The name that a `value` at this place belongs to. */
function nameInPair(text: string, at: number): string | null {
  return pairBefore.exec(text.slice(Math.max(0, at - maxPairLength), at))?.[1] ?? null;
}

function isNamePart(code: number): boolean {
  return isCapital(code) || isDigit(code) || (code >= 97 && code <= 122) || code === 95 || code === 45 || code === 46;
}

interface Context {
  readonly name: string;
  /** `NAME=value`, nothing between: as in an environment. */
  readonly tight: boolean;
  readonly nameQuoted: boolean;
  readonly quoted: boolean;
  /** One of a URL's or a connection string's parameters. */
  readonly parameter: boolean;
  readonly next: string;
}

function isSecret(value: string, context: Context): boolean {
  const { name, quoted, nameQuoted, tight, parameter } = context;
  if (value.length < 6) return false;
  if (tight && secretVariable.test(name)) return !isHarmlessVariable(name, value);
  if (placeholder.test(value)) return false;
  const isCertain = certain.test(name);
  if (nameQuoted && quoted) {
    if (isCertain) return !/^[A-Z_]+$/.test(value);
    if (password.test(name) || secretVariable.test(name))
      return isPassphrase(value) || (!/\s/.test(value) && !isName(value));
  } else if (secretVariable.test(name)) {
    return quoted && isCertain ? hasDigitAndLetter(value) : looksRandom(value);
  } else if (quoted && (isCertain || password.test(name))) {
    return hasDigitAndLetter(value) && !/\s/.test(value) && !isName(value);
  }
  if (isCertain && (/-|^_/.test(name) || parameter)) return !isCode(value, context.next);
  if (parameter && password.test(name)) return !isCode(value, context.next);
  if (!quoted && memberAccess.test(value)) return false;
  if ((isCertain || password.test(name)) && !quoted && looksChosen(value)) return true;
  return (
    (isCertain || password.test(name) || likely.test(name) || (parameter && likelyParameter.test(name))) &&
    looksRandom(value)
  );
}

/** In `NAME=value` only what plainly stands for something else. */
function isHarmlessVariable(name: string, value: string): boolean {
  if (blank.test(value) || reference.test(value) || ordinaryWord.test(value)) return true;
  // A directory or a pattern of names.
  if (/_(?:PWD|PAT)$/.test(name) && /^[/~.*]/.test(value)) return true;
  return aboutSecrets.test(name) && word.test(value);
}

/** Words without the ones that every sentence has. */
function isPassphrase(value: string): boolean {
  return passphrase.test(value) && !commonWord.test(value);
}

/** `hunter2secret99x`: letters and digits by turns, as no one calls a variable. */
function looksChosen(value: string): boolean {
  return /^[a-z\d]{12,64}$/.test(value) && /\d[a-z]+\d/.test(value) && value.replaceAll(/\D/g, '').length >= 3;
}

/** What a program calls something: `PASSWORD`, `msal.cache`, `FlowPasswordRequiredV2`. */
function isName(value: string): boolean {
  return (
    ordinaryWord.test(value) ||
    /^[A-Z_]+$/.test(value) ||
    /^[A-Za-z]+(?:[._:/][A-Za-z]+)+$/.test(value) ||
    /^(?:[A-Z][a-z]+){2,}V?\d?$/.test(value)
  );
}

/** A call, a member access or a number: what stands behind a constant's name in a program. */
function isCode(value: string, next: string): boolean {
  if (next === '(' || next === '[' || /^\d+$/.test(value) || ordinaryWord.test(value)) return true;
  return memberAccess.test(value);
}

function hasDigitAndLetter(value: string): boolean {
  return /\d/.test(value) && /[A-Za-z]/.test(value);
}

/** Not a word, a name, a path or a version: long, with letters and digits in a mix that no one writes by hand. */
function looksRandom(value: string): boolean {
  if (value.length < 12 || /\s/.test(value)) return false;
  if (/^[0-9a-f]{16,}$/i.test(value) && /[a-f]/i.test(value)) return true;
  if (!hasDigitAndLetter(value)) return false;
  const digits = value.replaceAll(/\D/g, '').length;
  if (/^[A-Za-z_$][\w$.]*$/.test(value) && !(value.length >= 20 && digits >= 3)) return false;
  return (/[a-z]/.test(value) && /[A-Z]/.test(value)) || digits >= 4;
}

function cookie(text: string, start: number): SecretSpan | null {
  const value = read(restOfLine, text, start);
  return /^[^\s=;]{1,80}=/.test(value) && /=[^\s;]{6}/.test(value)
    ? { start, end: start + value.length, kind: 'credentials' }
    : null;
}

function read(sticky: RegExp, text: string, at: number): string {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0] ?? '';
}
