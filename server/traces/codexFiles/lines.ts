import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { unpackedFrames } from './zstdFrames.ts';

/** A longer line is left out: no record of Codex comes near, and a file may be anything. */
const maxLineBytes = 64 * 1024 * 1024;
/** What `skips` gets to see of a line. */
const startBytes = 256;
const newline = 10;

/**
 * The lines of a text file, plain, `.gz` or `.zst`, read as a stream.
 * @param skips told the first characters of a line: true leaves it out, before it costs more than finding its end
 * @throws when it can't be read or unpacked
 */
export async function* linesOf(file: string, skips: (start: string) => boolean): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  const take = (end: Buffer): string | null => {
    const line = rest.length === 0 ? end : Buffer.concat([...rest, end]);
    const isTooLong = restBytes > maxLineBytes;
    [rest, restBytes] = [[], 0];
    return isTooLong || skips(line.toString('latin1', 0, startBytes)) ? null : line.toString('utf8');
  };
  for await (const chunk of bytesOf(file)) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const line = take(chunk.subarray(from, end));
      from = end + 1;
      if (line !== null) yield line;
    }
    restBytes += chunk.length - from;
    if (restBytes > maxLineBytes) rest = [];
    else if (from < chunk.length) rest.push(chunk.subarray(from));
  }
  const last = restBytes === 0 ? null : take(Buffer.alloc(0));
  if (last !== null) yield last;
}

function bytesOf(file: string): AsyncIterable<Buffer> {
  if (file.endsWith('.zst')) return unpackedFrames(file);
  const raw = createReadStream(file, { highWaterMark: 1024 * 1024 });
  // The unpacker carries the fault of either on to the reader.
  return file.endsWith('.gz') ? pipeline(raw, createGunzip(), () => undefined) : raw;
}
