import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

/** A longer line is left out: no record of Codex comes near, and a file may be anything. */
const maxLineLength = 64 * 1024 * 1024;

/** The lines of a text file, plain, `.gz` or `.zst`, read as a stream. @throws when it can't be read or unpacked */
export async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  let tooLong = false;
  for await (const chunk of textOf(file)) {
    const parts = (rest + String(chunk)).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      if (!tooLong) yield part;
      tooLong = false;
    }
    if (rest.length > maxLineLength) {
      tooLong = true;
      rest = '';
    }
  }
  if (rest !== '' && !tooLong) yield rest;
}

function textOf(file: string): Readable {
  const raw = createReadStream(file, { highWaterMark: 1024 * 1024 });
  const unpacker = file.endsWith('.zst') ? createZstdDecompress() : file.endsWith('.gz') ? createGunzip() : null;
  // The unpacker carries the fault of either on to the reader.
  const text = unpacker === null ? raw : pipeline(raw, unpacker, () => undefined);
  return text.setEncoding('utf8');
}
