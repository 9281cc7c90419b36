import { gunzipSync, inflateSync } from 'node:zlib';
import type { LongRun } from './longRuns.ts';

/** A piece of a text that stands for another text. */
export interface EncodedRun {
  readonly start: number;
  readonly end: number;
  readonly kind: 'encoded';
  /** What it may stand for. */
  readonly readings: () => readonly string[];
}

/** Shortest base64 that can hold a key with its name. */
const minBase64Length = 24;
/** A run that begins in the middle of another word is read from each of the four places of its first quadruple. */
const maxShiftedLength = 512;
const maxUnpackedBytes = 1024 * 1024;
/** Escapes and percent-encoding are looked at in their surroundings up to here. */
const maxReach = 4096;

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
  for (const { start, end: first } of runs) {
    if (first - start < minBase64Length || start < covered) continue;
    let end = first;
    for (let next = lineAfter(text, end); next > end && next - end <= 2; next = lineAfter(text, end)) {
      const from = next;
      while (isBase64(text.charCodeAt(next))) next++;
      if (next === from) break;
      end = next;
    }
    while (text[end] === '=') end++;
    covered = end;
    const until = end;
    found.push({ start, end: until, kind: 'encoded', readings: () => base64Readings(text.slice(start, until)) });
  }
  return found;
}

/** Where the next line begins if this one ends here, written as itself or escaped; else the same place. */
function lineAfter(text: string, at: number): number {
  if (text[at] === '\n') return at + 1;
  return text.startsWith('\r\n', at) || text.startsWith('\\n', at) ? at + 2 : at;
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
const readable = /[\x20-\x7e\t\r\n]{16}/;

function base64Readings(encoded: string): string[] {
  const joined = encoded.replaceAll(/\\n|[\r\n]/g, '');
  // Neither a hash in hex nor a word or a path.
  if (/^[0-9a-fA-F-]*$/.test(joined) || /^[a-z/_-]*$|^[A-Z_]*$/.test(joined)) return [];
  const shifts = joined.length <= maxShiftedLength ? [0, 1, 2, 3] : [0];
  return shifts.flatMap(shift => {
    const bytes = Buffer.from(joined.slice(shift), 'base64');
    const unpacked = shift === 0 ? unpack(bytes) : null;
    const text = (unpacked ?? bytes).toString('latin1');
    return readable.test(text) ? [text] : [];
  });
}

function unpack(bytes: Buffer): Buffer | null {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const isZlib = bytes[0] === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(bytes[1] ?? 0);
  if (!isGzip && !isZlib) return null;
  try {
    return (isGzip ? gunzipSync : inflateSync)(bytes, { maxOutputLength: maxUnpackedBytes });
  } catch {
    return null;
  }
}

/** The words around every escape, each once. */
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
    const floor = Math.max(runs.at(-1)?.end ?? 0, at - maxReach);
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
