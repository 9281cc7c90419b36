import { constants, deflateRawSync, zstdCompressSync } from 'node:zlib';

/** Node asks for 16 KB for the output of every call, and keeps them as long as the few bytes that came out. */
const maxOutputBytes = 16 * 1024;
/** More than either adds to what it can't make smaller, and more than zlib's least. */
const overheadBytes = 128;

interface ZstdOptions {
  readonly dictionary?: Buffer;
  readonly level?: number;
  readonly checksum?: boolean;
}

/** Raw deflate at zlib's default level, with tables that are no larger than what is looked through: 64 KB instead of 256. */
export function deflate(bytes: Buffer, dictionary: Buffer): Buffer {
  const windowBits = windowFor(bytes.length + dictionary.length);
  return deflateRawSync(bytes, {
    dictionary,
    chunkSize: outputBytes(bytes),
    windowBits,
    memLevel: windowBits - 7,
  });
}

/** One zstd frame. That it is told the size beforehand makes its tables as small as the text. */
export function zstd(bytes: Buffer, { dictionary, level, checksum = false }: ZstdOptions = {}): Buffer {
  return zstdCompressSync(bytes, {
    ...(dictionary === undefined ? {} : { dictionary }),
    chunkSize: outputBytes(bytes),
    pledgedSrcSize: bytes.length,
    params: {
      [constants.ZSTD_c_checksumFlag]: checksum ? 1 : 0,
      ...(level === undefined ? {} : { [constants.ZSTD_c_compressionLevel]: level }),
    },
  });
}

function outputBytes(bytes: Buffer): number {
  return Math.min(maxOutputBytes, bytes.length + overheadBytes);
}

/** The smallest window that reaches over so many bytes, of which zlib uses 262 itself. */
function windowFor(sizeBytes: number): number {
  return Math.min(15, Math.max(12, Math.ceil(Math.log2(sizeBytes + 262))));
}
