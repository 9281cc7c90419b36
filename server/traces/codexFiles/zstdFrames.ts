import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';

/** Read again from a frame's end on: what was read behind it is given up. */
const readBytes = 128 * 1024;

/**
 * What a file's Zstandard frames hold, one after another: Node's stream ends with the first, and a file that was added to
 * has several.
 * @throws when it can't be read, or bytes in it are no whole frame
 */
export async function* unpackedFrames(file: string): AsyncGenerator<Buffer> {
  const { size } = await stat(file);
  for (let start = 0; start < size; ) {
    const unpacker = createZstdDecompress();
    const raw = createReadStream(file, { start, highWaterMark: readBytes });
    // The unpacker carries the fault of either on to the reader.
    yield* pipeline(raw, unpacker, () => undefined) as AsyncIterable<Buffer>;
    if (unpacker.bytesWritten === 0) return;
    start += unpacker.bytesWritten;
  }
}
