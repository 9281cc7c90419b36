import { ByteReader, ByteWriter } from './byteWriter.ts';

/**
 * How a JSON text is spelt where it differs from `JSON.stringify` of the same value: spaces, escapes, numbers. Python's
 * clients write `{"a": 1.0, "b": "\u00e9"}`. Kept are, token by token, the space before it and the way it is written.
 */
const token = /[ \t\r\n]+|"(?:[^"\\]|\\.)*"|[[\]{},:]|[^ \t\r\n"[\]{},:]+/gs;
const isSpace = (text: string) => /^[ \t\r\n]/.test(text);

/** Ways to write a token, given as JSON.stringify has it. The place is part of the stored format: append only. */
const styles: readonly ((canonical: string) => string)[] = [
  text => text,
  // Python's ensure_ascii.
  text => text.replace(/[\u007f-\uffff]/g, escaped),
  // Go's encoding/json.
  text => text.replace(/[<>&\u2028\u2029]/g, escaped),
  // PHP's json_encode.
  text => text.replaceAll('/', '\\/').replace(/[\u0080-\uffff]/g, escaped),
  // Whole numbers that are floats to their writer.
  text => `${text}.0`,
];
/** Written in a way of its own, which is kept. */
const literalStyle = 127;

/** The differences of `sent` to `canonical`; null when the two are not the same JSON value token by token. */
export function packSpelling(sent: string, canonical: string): Buffer | null {
  const gaps = new Map<string, number>();
  const [gapColumn, styleColumn, literals] = [new ByteWriter(), new ByteWriter(), new ByteWriter()];
  const expected = canonical.matchAll(token);
  const keepGap = (gap: string) => {
    if (!gaps.has(gap)) gaps.set(gap, gaps.size);
    gapColumn.varint(gaps.get(gap) ?? 0);
  };
  let gap = '';
  let count = 0;
  for (const [text] of sent.matchAll(token)) {
    if (isSpace(text)) {
      gap = text;
      continue;
    }
    const next = expected.next();
    if (next.done) return null;
    const [wanted] = next.value;
    keepGap(gap);
    gap = '';
    count++;
    const style = styles.findIndex(write => write(wanted) === text);
    if (style < 0 && !sameValue(text, wanted)) return null;
    styleColumn.varint(style < 0 ? literalStyle : style);
    if (style < 0) putText(literals, text);
  }
  if (!expected.next().done) return null;
  keepGap(gap);
  const packed = new ByteWriter();
  packed.varint(count);
  packed.varint(gaps.size);
  for (const text of gaps.keys()) putText(packed, text);
  for (const column of [gapColumn, styleColumn, literals]) {
    packed.varint(column.length);
    packed.bytes(column.view());
  }
  return packed.view();
}

/** The text that `packSpelling` was given. */
export function respell(packed: Buffer, canonical: string): string {
  const reader = new ByteReader(packed);
  const count = reader.varint();
  const gaps = Array.from({ length: reader.varint() }, () => takeText(reader));
  const [gapColumn, styleColumn, literals] = [0, 1, 2].map(() => new ByteReader(reader.bytes(reader.varint()))) as [
    ByteReader,
    ByteReader,
    ByteReader,
  ];
  const expected = canonical.matchAll(token);
  const parts: string[] = [];
  for (let index = 0; index < count; index++) {
    const wanted = expected.next().value?.[0] ?? '';
    parts.push(gaps[gapColumn.varint()] ?? '');
    const style = styleColumn.varint();
    parts.push(style === literalStyle ? takeText(literals) : (styles[style]?.(wanted) ?? wanted));
  }
  parts.push(gaps[gapColumn.varint()] ?? '');
  return parts.join('');
}

/** Nothing may be kept here that stands nowhere in the value, which alone is searched for secrets. */
function sameValue(a: string, b: string): boolean {
  try {
    return Object.is(JSON.parse(a), JSON.parse(b)) || Number(a) === Number(b);
  } catch {
    return false;
  }
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function putText(writer: ByteWriter, text: string): void {
  const bytes = Buffer.from(text);
  writer.varint(bytes.length);
  writer.bytes(bytes);
}

function takeText(reader: ByteReader): string {
  return reader.bytes(reader.varint()).toString('utf8');
}
