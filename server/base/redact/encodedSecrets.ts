import { behindEscape } from './escapes.ts';
import type { LongRun } from './longRuns.ts';
import { type UnpackBudget, unpack } from './unpack.ts';

/** A piece of a text that stands for another text. */
export interface EncodedRun {
  readonly start: number;
  readonly end: number;
  readonly kind: 'encoded';
  /** What it may stand for; null when it is compressed and can't be looked into as a whole. */
  readonly readings: (budget: UnpackBudget) => readonly string[] | null;
}

/** Shortest base64 that can hold a key with its name. */
const minBase64Length = 24;
/** Escapes and percent-encoding are looked at in their surroundings up to here. */
const maxReach = 4096;
/** What is longer goes on in the next piece, which begins so far before the end of this one: no key is cut in two. */
const overlap = 1024;

/** Percent-encoded, escaped and base64 pieces of a text. Linear: no place is looked at more than a few times. */
export function encodedRuns(text: string, runs: readonly LongRun[]): EncodedRun[] {
  return [
    ...base64Runs(text, runs),
    ...escapedRuns(text, '%', isHexPair, fromPercent),
    ...escapedRuns(text, '\\', isEscape, fromEscapes),
  ];
}

/** Lines that a program has wrapped are one run. */
function base64Runs(text: string, runs: readonly LongRun[]): EncodedRun[] {
  const found: EncodedRun[] = [];
  let covered = 0;
  for (const { start: from, end: first } of runs) {
    if (first - from < minBase64Length || from < covered) continue;
    const start = behindEscape(text, from);
    let end = first;
    for (let next = lineAfter(text, end); next > end; next = lineAfter(text, end)) {
      const line = next;
      while (isBase64(text.charCodeAt(next))) next++;
      if (next === line) break;
      end = next;
    }
    while (text[end] === '=') end++;
    covered = end;
    const until = end;
    found.push({
      start,
      end: until,
      kind: 'encoded',
      readings: left => base64Readings(text.slice(start, until), left),
    });
  }
  return found;
}

const lineEnd = /\r?\n|(?:\\+r)?\\+n/y;
const lineEnds = /\\+[rn]|[\r\n]/g;

/** Where the next line begins if this one ends here, written as itself or escaped; else the same place. */
function lineAfter(text: string, at: number): number {
  lineEnd.lastIndex = at;
  return lineEnd.test(text) ? lineEnd.lastIndex : at;
}

function isBase64(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 47 && code <= 57) ||
    code === 43 ||
    code === 45 ||
    code === 95
  );
}

/** Enough readable characters in a row to be a secret; random bytes have them nowhere. */
const minReadableLength = 16;

/** The same in UTF-16, where every other byte is zero. */
const readableWide = /(?:[\x20-\x7e\t\r\n]\0){12}/;
const wideBytes = 24;

/** A run may begin in the middle of another word, so it is read from each of the four places of its first quadruple. */
function base64Readings(encoded: string, budget: UnpackBudget): string[] | null {
  const joined = encoded.replaceAll(lineEnds, '');
  // Neither a hash in hex nor a word or a path.
  if (/^[0-9a-fA-F-]*$/.test(joined) || /^[a-z/_-]*$|^[A-Z_]*$/.test(joined)) return [];
  const readings: string[] = [];
  for (let shift = 0; shift < 4; shift++) {
    const bytes = unpack(Buffer.from(joined.slice(shift), 'base64'), budget);
    if (bytes === null) return null;
    if (hasReadable(bytes)) readings.push(bytes.toString('latin1'));
    else if (hasReadableWide(bytes)) readings.push(bytes.toString('latin1').replaceAll('\0', ''));
  }
  return readings;
}

/** Every readable row of that length holds one of the places that are as far apart: only those are looked at. */
function hasReadable(bytes: Buffer): boolean {
  for (let probe = minReadableLength - 1; probe < bytes.length; probe += minReadableLength) {
    let start = probe;
    while (start > probe - minReadableLength && isReadable(bytes[start])) start--;
    if (start === probe) continue;
    let end = probe + 1;
    while (end - start <= minReadableLength && isReadable(bytes[end])) end++;
    if (end - start > minReadableLength) return true;
  }
  return false;
}

function hasReadableWide(bytes: Buffer): boolean {
  for (let probe = wideBytes - 2; probe < bytes.length; probe += wideBytes - 2) {
    if (bytes[probe] !== 0 && bytes[probe + 1] !== 0) continue;
    const around = bytes.subarray(Math.max(0, probe - wideBytes), probe + wideBytes + 1);
    if (readableWide.test(around.toString('latin1'))) return true;
  }
  return false;
}

function isReadable(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13);
}

/** The words around every escape, in pieces where they are long. */
function escapedRuns(
  text: string,
  sign: string,
  isEscapeAt: (text: string, at: number) => boolean,
  decode: (run: string) => string,
): EncodedRun[] {
  const runs: EncodedRun[] = [];
  for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at)) {
    if (!isEscapeAt(text, at)) {
      at++;
      continue;
    }
    const floor = Math.max((runs.at(-1)?.end ?? 0) - overlap, at - maxReach, 0);
    let start = at;
    while (start > floor && isWordPart(text.charCodeAt(start - 1))) start--;
    let end = at + 1;
    while (end < at + maxReach && end < text.length && isWordPart(text.charCodeAt(end))) end++;
    runs.push({ start, end, kind: 'encoded', readings: () => [decode(text.slice(start, end))] });
    at = end;
  }
  return runs;
}

function isWordPart(code: number): boolean {
  return code > 32 && code !== 34 && code !== 39 && code !== 60 && code !== 62 && code !== 96;
}

function isHexPair(text: string, at: number): boolean {
  return isHex(text.charCodeAt(at + 1)) && isHex(text.charCodeAt(at + 2));
}

/** `\u0073`, `\x73`: only those of ASCII can hide a key. */
function isEscape(text: string, at: number): boolean {
  if (text[at + 1] === 'x') return isHex(text.charCodeAt(at + 2)) && isHex(text.charCodeAt(at + 3));
  return text[at + 1] === 'u' && text.startsWith('00', at + 2) && isHex(text.charCodeAt(at + 4));
}

function isHex(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);
}

const toCharacter = (_: string, hex: string) => String.fromCharCode(Number.parseInt(hex, 16));

function fromPercent(run: string): string {
  return run.replaceAll(/%([0-9A-Fa-f]{2})/g, toCharacter);
}

function fromEscapes(run: string): string {
  return run.replaceAll(/\\+(?:u00|x)([0-9A-Fa-f]{2})/g, toCharacter);
}
