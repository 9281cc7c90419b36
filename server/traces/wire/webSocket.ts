import { constants, inflateRawSync } from 'node:zlib';

const maxMessageBytes = 128 * 1024 * 1024;
/** LZ77 window of permessage-deflate: what a message may refer back to (RFC 7692 §7.1). */
const windowBytes = 32 * 1024;
/** The end of a flushed block, which the sender leaves out (RFC 7692 §7.2.1). */
const blockTail = Buffer.from([0x00, 0x00, 0xff, 0xff]);

export interface WebSocketOptions {
  /** permessage-deflate was agreed on. */
  readonly compressed: boolean;
  /** The sender forgets its window after each message. */
  readonly noContextTakeover: boolean;
}

/** What was agreed in the answer to the upgrade, for one direction. */
export function webSocketOptions(extensions: string | null, sender: 'client' | 'server'): WebSocketOptions {
  const agreed = (extensions ?? '').toLowerCase();
  return {
    compressed: agreed.includes('permessage-deflate'),
    noContextTakeover: agreed.includes(`${sender}_no_context_takeover`),
  };
}

/** Incremental reader of one direction of a WebSocket (RFC 6455): whole text and binary messages come out. */
export class WebSocketReader {
  readonly #options: WebSocketOptions;
  readonly #listener: (message: string) => void;
  #buffer: Buffer = Buffer.alloc(0);
  #fragments: Buffer[] = [];
  #fragmentBytes = 0;
  #compressedMessage = false;
  #window: Buffer = Buffer.alloc(0);

  constructor(options: WebSocketOptions, listener: (message: string) => void) {
    this.#options = options;
    this.#listener = listener;
  }

  /** @throws when the bytes are no WebSocket frames */
  push(bytes: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes]);
    for (let frame = readFrame(this.#buffer); frame !== null; frame = readFrame(this.#buffer)) {
      this.#buffer = this.#buffer.subarray(frame.next);
      this.#accept(frame);
    }
    // What is kept must not pin the socket's whole buffer.
    this.#buffer = Buffer.from(this.#buffer);
  }

  #accept(frame: Frame): void {
    if (frame.opcode >= 8) return;
    if (frame.opcode !== 0) {
      this.#fragments = [];
      this.#fragmentBytes = 0;
      this.#compressedMessage = frame.compressed;
    }
    this.#fragments.push(frame.payload);
    this.#fragmentBytes += frame.payload.length;
    if (this.#fragmentBytes > maxMessageBytes) throw new Error('WebSocket message too large');
    if (!frame.final) return;
    const whole = Buffer.concat(this.#fragments);
    this.#fragments = [];
    this.#fragmentBytes = 0;
    this.#listener((this.#compressedMessage ? this.#inflate(whole) : whole).toString('utf8'));
  }

  #inflate(payload: Buffer): Buffer {
    if (!this.#options.compressed) throw new Error('Compressed WebSocket message without an agreed extension');
    const text = inflateRawSync(Buffer.concat([payload, blockTail]), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: maxMessageBytes,
      ...(this.#window.length > 0 ? { dictionary: this.#window } : {}),
    });
    if (!this.#options.noContextTakeover) {
      this.#window = Buffer.from(Buffer.concat([this.#window, text]).subarray(-windowBytes));
    }
    return text;
  }
}

interface Frame {
  readonly final: boolean;
  readonly compressed: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
  readonly next: number;
}

/** The first frame in a buffer, unmasked; null while it is not whole. */
function readFrame(buffer: Buffer): Frame | null {
  if (buffer.length < 2) return null;
  const first = buffer.readUInt8(0);
  const second = buffer.readUInt8(1);
  let at = 2;
  let sizeBytes = second & 0x7f;
  if (sizeBytes === 126) {
    if (buffer.length < 4) return null;
    sizeBytes = buffer.readUInt16BE(2);
    at = 4;
  } else if (sizeBytes === 127) {
    if (buffer.length < 10) return null;
    const wide = buffer.readBigUInt64BE(2);
    if (wide > BigInt(maxMessageBytes)) throw new Error('WebSocket frame too large');
    sizeBytes = Number(wide);
    at = 10;
  }
  const masked = (second & 0x80) !== 0;
  const start = masked ? at + 4 : at;
  if (buffer.length < start + sizeBytes) return null;
  const payload = Buffer.from(buffer.subarray(start, start + sizeBytes));
  if (masked) {
    for (let i = 0; i < payload.length; i++) payload[i] = payload.readUInt8(i) ^ buffer.readUInt8(at + (i & 3));
  }
  return {
    final: (first & 0x80) !== 0,
    compressed: (first & 0x40) !== 0,
    opcode: first & 0x0f,
    payload,
    next: start + sizeBytes,
  };
}
