import { constants, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { LongRun } from './longRuns.ts';

/** A piece of a text that stands for another text. */
export interface EncodedRun {
  readonly start: number;
  readonly end: number;
  readonly kind: 'encoded';
  /** What it may stand for; null when it is compressed and can't be looked into as a whole. */
  readonly readings: () => readonly string[] | null;
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

/** The same in UTF-16. */
const readableWide = /(?:[\x20-\x7e\t\r\n]\0){12}/;

function base64Readings(encoded: string): string[] | null {
  const joined = encoded.replaceAll(/\\n|[\r\n]/g, '');
  // Neither a hash in hex nor a word or a path.
  if (/^[0-9a-fA-F-]*$/.test(joined) || /^[a-z/_-]*$|^[A-Z_]*$/.test(joined)) return [];
  const shifts = joined.length <= maxShiftedLength ? [0, 1, 2, 3] : [0];
  const whole = unpack(Buffer.from(joined, 'base64'));
  if (whole === null) return null;
  return shifts.flatMap(shift => {
    const bytes = shift === 0 ? whole : Buffer.from(joined.slice(shift), 'base64');
    const text = bytes.toString('latin1');
    if (readable.test(text)) return [text];
    return readableWide.test(text) ? [text.replaceAll('\0', '')] : [];
  });
}

/** The same bytes when they are not compressed; null when they are, and are damaged or too much to be looked through. */
function unpack(bytes: Buffer): Buffer | null {
  const packing = packings.find(({ begin }) => begin.some(magic => bytes.subarray(0, magic.length).equals(magic)));
  if (packing === undefined) return bytes;
  try {
    return packing.open(bytes);
  } catch (error) {
    const isTooMuch = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    return isTooMuch || packing.certain ? null : bytes;
  }
}

interface Packing {
  readonly begin: readonly Buffer[];
  /** Nothing else begins like that. */
  readonly certain: boolean;
  readonly open: (bytes: Buffer) => Buffer;
}

/** Output that was cut off is common: what there is of it is looked through. */
const toTheCut = { maxOutputLength: maxUnpackedBytes, finishFlush: constants.Z_SYNC_FLUSH };
const packings: readonly Packing[] = [
  { begin: [Buffer.from([0x1f, 0x8b, 8])], certain: true, open: bytes => gunzipSync(bytes, toTheCut) },
  {
    begin: [0x01, 0x5e, 0x9c, 0xda].map(level => Buffer.from([0x78, level])),
    certain: false,
    open: bytes => inflateSync(bytes, toTheCut),
  },
  {
    begin: [Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
    certain: true,
    open: bytes => zstdDecompressSync(bytes, { maxOutputLength: maxUnpackedBytes }),
  },
];

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
