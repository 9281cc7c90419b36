import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';

/** Largest body after decoding: what expands to more is hostile or not a model's. */
const maxOutputLength = 64 * 1024 * 1024;
/** No one packs a body more often than that; each time multiplies what a few bytes can become. */
const maxCodings = 3;

/**
 * Undoes a message's Content-Encoding, several in a row included. A body that was cut off gives what it had.
 * @throws for an unknown coding and for bytes that are not what they say.
 */
export function decodeContent(body: Buffer, coding: string | null): Buffer {
  const codings = (coding ?? '').split(',').map(name => name.trim().toLowerCase());
  if (codings.length > maxCodings) throw new Error(`${codings.length} content codings`);
  return codings.reduceRight((bytes, name) => decodeOne(bytes, name), body);
}

function decodeOne(bytes: Buffer, coding: string): Buffer {
  if (bytes.length === 0) return bytes;
  switch (coding) {
    case '':
    case 'identity':
      return bytes;
    case 'gzip':
    case 'x-gzip':
      return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength });
    case 'deflate':
      // Both forms are in use: zlib-wrapped as the standard says, and raw.
      return ((bytes[0] ?? 0) & 0x0f) === 8
        ? inflateSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength })
        : inflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength });
    case 'br':
      return brotliDecompressSync(bytes, { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength });
    case 'zstd':
      return zstdDecompressSync(bytes, { finishFlush: constants.ZSTD_e_flush, maxOutputLength });
    default:
      throw new Error(`Unknown content coding ${coding}`);
  }
}
