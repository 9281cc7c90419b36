import { inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { ByteReader, ByteWriter } from './byteWriter.ts';
import { deflate, zstd } from './compression.ts';
import { typicalItems } from './typicalItems.ts';

/**
 * Texts that are stored together, as one compressed piece: what they have in common is kept once. Long base64 in them
 * (encrypted reasoning, pictures) is kept as the bytes it stands for, and apart: it would spoil the statistics by which
 * the rest is compressed. The first byte tells how; plain zstd, as of the first version, begins with another.
 */
const forms = { large: 2, small: 3 } as const;
/** Below this size deflate is smaller than zstd and takes two thirds of its time. Dictionary and text fit its window. */
const maxSmallBytes = 24 * 1024;

const dictionary = { dictionary: typicalItems };
const largeOptions = { ...dictionary, level: 7 };

const base64Run = /[A-Za-z0-9+/_-]{200,}={0,2}/g;
/** Ways to write base64. The place is part of the stored format: append only. */
const spellings: readonly ((bytes: Buffer) => string)[] = [
  bytes => bytes.toString('base64'),
  bytes => bytes.toString('base64url'),
  bytes => bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
];

/** Texts as `items.content` has them. They must be well-formed Unicode, as all that `JSON.stringify` writes is. */
export function packItems(texts: readonly string[]): Buffer {
  const [shape, opaque] = [new ByteWriter(), new ByteWriter()];
  shape.varint(texts.length);
  const rest = texts.map(text => withoutBase64(text, shape, opaque)).join('');
  const whole = new ByteWriter();
  whole.varint(shape.length);
  whole.bytes(shape.view());
  whole.bytes(Buffer.from(rest));
  const isSmall = whole.length + opaque.length <= maxSmallBytes;
  const compressed = isSmall ? deflate(whole.view(), typicalItems) : zstd(whole.view(), largeOptions);
  const head = new ByteWriter();
  head.varint(isSmall ? forms.small : forms.large);
  head.varint(compressed.length);
  return Buffer.concat([head.view(), compressed, isSmall ? opaque.view() : zstd(opaque.view())]);
}

/** The reverse, also for the single items of the first version. @throws when the bytes are damaged */
export function unpackItems(content: Buffer): string[] {
  const isSmall = content[0] === forms.small;
  if (!isSmall && content[0] !== forms.large) return [zstdDecompressSync(content).toString('utf8')];
  const stored = new ByteReader(content.subarray(1));
  const compressed = stored.bytes(stored.varint());
  const whole = new ByteReader(
    isSmall ? inflateRawSync(compressed, dictionary) : zstdDecompressSync(compressed, dictionary),
  );
  const shape = new ByteReader(whole.bytes(whole.varint()));
  const rest = whole.rest().toString('utf8');
  const opaque = new ByteReader(isSmall ? stored.rest() : zstdDecompressSync(stored.rest()));
  let at = 0;
  const next = (length: number) => {
    at += length;
    return rest.slice(at - length, at);
  };
  return Array.from({ length: shape.varint() }, () => {
    const parts: string[] = [];
    for (let runs = shape.varint(); runs > 0; runs--) {
      parts.push(next(shape.varint()));
      const write = spellings[shape.varint()];
      if (write === undefined) throw new RangeError('An item was stored in an unknown way.');
      parts.push(write(opaque.bytes(shape.varint())));
    }
    parts.push(next(shape.varint()));
    return parts.join('');
  });
}

/** Notes in `shape` how many runs were taken out, and each with the length of what comes before it. */
function withoutBase64(text: string, shape: ByteWriter, opaque: ByteWriter): string {
  const runs = [...text.matchAll(base64Run)].flatMap(match => {
    const bytes = Buffer.from(match[0], 'base64');
    const spelling = spellings.findIndex(write => write(bytes) === match[0]);
    return spelling < 0 ? [] : [{ from: match.index, to: match.index + match[0].length, bytes, spelling }];
  });
  shape.varint(runs.length);
  let at = 0;
  const rest = runs.map(({ from, to, bytes, spelling }) => {
    shape.varint(from - at);
    shape.varint(spelling);
    shape.varint(bytes.length);
    opaque.bytes(bytes);
    const before = text.slice(at, from);
    at = to;
    return before;
  });
  shape.varint(text.length - at);
  return rest.join('') + text.slice(at);
}
