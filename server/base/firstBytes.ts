export interface FirstBytes {
  take(chunk: Buffer): void;
  content(): Buffer;
}

/** Keeps the first bytes of a stream, to within a chunk. */
export function firstBytes(maxBytes: number): FirstBytes {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  return {
    take(chunk) {
      if (sizeBytes < maxBytes) chunks.push(chunk);
      sizeBytes += chunk.length;
    },
    content: () => Buffer.concat(chunks),
  };
}
