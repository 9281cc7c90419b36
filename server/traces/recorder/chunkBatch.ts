import type { RecorderMessage } from './recorderMessages.ts';

/** Numbers that stand for one chunk in `ChunkBatch.frames`. */
const frameSize = 4;

/**
 * Chunks of any connections in the order in which they passed, as one message to the recorder's thread: posting each on
 * its own costs the forwarding thread more than forwarding it.
 */
export interface ChunkBatch {
  readonly kind: 'batch';
  /** Per chunk: connection, 1 for up or 0 for down, length in bytes, time in epoch milliseconds. */
  readonly frames: Float64Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Collects chunks without copying them; they are copied once, when the batch is taken. */
export class ChunkCollector {
  #chunks: Uint8Array[] = [];
  #frames: number[] = [];
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(connection: number, direction: 'up' | 'down', chunk: Uint8Array, atMs: number): void {
    this.#chunks.push(chunk);
    this.#frames.push(connection, direction === 'up' ? 1 : 0, chunk.length, atMs);
    this.#sizeBytes += chunk.length;
  }

  /** What was collected, in buffers of its own that may be transferred; null when there is nothing. */
  take(): ChunkBatch | null {
    if (this.#chunks.length === 0) return null;
    // Not from Node's pool, which must not be transferred, and not zeroed for nothing.
    const bytes = Buffer.allocUnsafeSlow(this.#sizeBytes) as Uint8Array<ArrayBuffer>;
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    const frames = Float64Array.from(this.#frames);
    this.#chunks = [];
    this.#frames = [];
    this.#sizeBytes = 0;
    return { kind: 'batch', frames, bytes };
  }
}

/**
 * The chunks of a batch as the messages that the recording side reads. Views of the batch's bytes; what passed in one
 * direction of a connection in one millisecond, with nothing else between, is one chunk.
 */
export function* chunksOf({ frames, bytes }: ChunkBatch): Generator<RecorderMessage & { kind: 'bytes' }> {
  let start = 0;
  let end = 0;
  for (let frame = 0; frame < frames.length; frame += frameSize) {
    end += frames[frame + 2] ?? 0;
    if (goesOn(frames, frame)) continue;
    const [connection = 0, up = 0, , atMs = 0] = frames.subarray(frame, frame + frameSize);
    yield { kind: 'bytes', connection, direction: up === 1 ? 'up' : 'down', bytes: bytes.subarray(start, end), atMs };
    start = end;
  }
}

/** Whether the next chunk continues this one. */
function goesOn(frames: Float64Array, frame: number): boolean {
  const next = frame + frameSize;
  return (
    frames[next] === frames[frame] && frames[next + 1] === frames[frame + 1] && frames[next + 3] === frames[frame + 3]
  );
}
