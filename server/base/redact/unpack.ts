import { constants, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/** What one text may still unpack to, all that is packed in it together: a few bytes can stand for any number. */
export interface UnpackBudget {
  leftBytes: number;
}

/** Nothing that a person reads unpacks to more. */
const maxUnpackedBytes = 1024 * 1024;
const maxUnpackedInText = 4 * maxUnpackedBytes;
/** What unpacking in vain counts. */
const vainBytes = 64 * 1024;

export function unpackBudget(): UnpackBudget {
  return { leftBytes: maxUnpackedInText };
}

/** The same bytes when they are not compressed; null when they are, and are damaged or too much to be looked through. */
export function unpack(bytes: Buffer, budget: UnpackBudget): Buffer | null {
  const packing = packings.find(({ begins }) => begins(bytes));
  if (packing === undefined) return bytes;
  const maxOutputLength = Math.min(maxUnpackedBytes, budget.leftBytes);
  if (maxOutputLength <= 0) return null;
  try {
    const opened = packing.open(bytes, maxOutputLength);
    budget.leftBytes -= opened.length;
    return opened;
  } catch (error) {
    const isTooMuch = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    budget.leftBytes -= isTooMuch ? maxOutputLength : vainBytes;
    return isTooMuch || packing.certain ? null : bytes;
  }
}

interface Packing {
  readonly begins: (bytes: Buffer) => boolean;
  /** Nothing else begins like that. */
  readonly certain: boolean;
  readonly open: (bytes: Buffer, maxOutputLength: number) => Buffer;
}

/** Output that was cut off is common: what there is of it is looked through. */
const finishFlush = constants.Z_SYNC_FLUSH;
const packings: readonly Packing[] = [
  {
    begins: bytes => bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8,
    certain: true,
    open: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength, finishFlush }),
  },
  {
    begins: bytes => bytes[0] === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(bytes[1] ?? 0),
    certain: false,
    open: (bytes, maxOutputLength) => inflateSync(bytes, { maxOutputLength, finishFlush }),
  },
  {
    begins: bytes => bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd,
    certain: true,
    open: (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
  },
];
