import { constants, inflateRawSync } from 'node:zlib';

/** Longest message, also after inflating; a longer one ends the recording of its connection. */
const maxMessageBytes = 64 * 1024 * 1024;
/** Pieces that one message may come in. */
const maxFragments = 100_000;
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
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes without which there is no use in looking again. */
  #neededBytes = 2;
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
    // A copy: what is kept must not pin the socket's whole buffer.
    this.#pending.push(Buffer.from(bytes));
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes < this.#neededBytes) return;
    let rest = this.#pending.length === 1 ? (this.#pending[0] ?? bytes) : Buffer.concat(this.#pending);
    let frame = readFrame(rest);
    for (; typeof frame !== 'number'; frame = readFrame(rest)) {
      rest = rest.subarray(frame.next);
      this.#accept(frame);
    }
    this.#neededBytes = frame;
    this.#pending = rest.length === 0 ? [] : [rest];
    this.#pendingBytes = rest.length;
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
    if (this.#fragmentBytes > maxMessageBytes || this.#fragments.length > maxFragments) {
      throw new Error('WebSocket message too large');
    }
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

/** Whether these bytes look like the first of an unfragmented message or a control frame of this sender. */
export function startsFrame(bytes: Buffer, { compressed }: WebSocketOptions, sender: 'client' | 'server'): boolean {
  if (bytes.length < 2) return false;
  const first = bytes.readUInt8(0);
  const second = bytes.readUInt8(1);
  const opcode = first & 0x0f;
  const isPlain = (first & 0x70) === 0;
  if ((first & 0x80) === 0 || (second & 0x80) !== (sender === 'client' ? 0x80 : 0)) return false;
  const length = second & 0x7f;
  if (opcode >= 8) return isPlain && opcode <= 10 && length < 126;
  if (opcode !== 1 || (!isPlain && !(compressed && (first & 0x70) === 0x40))) return false;
  const at = length === 126 ? 4 : length === 127 ? 10 : 2;
  const start = sender === 'client' ? at + 4 : at;
  if (bytes.length < start + 2) return false;
  if (length === 126 && bytes.readUInt16BE(2) < 126) return false;
  if (length === 127 && (bytes.readUInt32BE(2) !== 0 || bytes.readUInt32BE(6) < 65_536)) return false;
  if (!isPlain) return true;
  // The messages of an API are JSON objects.
  const mask = (index: number) => (sender === 'client' ? bytes.readUInt8(at + index) : 0);
  return (bytes.readUInt8(start) ^ mask(0)) === 0x7b && (bytes.readUInt8(start + 1) ^ mask(1)) === 0x22;
}

interface Frame {
  readonly final: boolean;
  readonly compressed: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
  readonly next: number;
}

/** The first frame in a buffer, unmasked; while it is not whole, the bytes that are needed to go on. */
function readFrame(buffer: Buffer): Frame | number {
  if (buffer.length < 2) return 2;
  const first = buffer.readUInt8(0);
  const second = buffer.readUInt8(1);
  let at = 2;
  let sizeBytes = second & 0x7f;
  if (sizeBytes === 126) {
    if (buffer.length < 4) return 4;
    sizeBytes = buffer.readUInt16BE(2);
    at = 4;
  } else if (sizeBytes === 127) {
    if (buffer.length < 10) return 10;
    const wide = buffer.readBigUInt64BE(2);
    sizeBytes = Number(wide);
    at = 10;
  }
  const masked = (second & 0x80) !== 0;
  const start = masked ? at + 4 : at;
  if (sizeBytes > maxMessageBytes) throw new Error('WebSocket frame too large');
  if (buffer.length < start + sizeBytes) return start + sizeBytes;
  const sent = buffer.subarray(start, start + sizeBytes);
  const payload = masked ? unmasked(sent, buffer.subarray(at, start)) : Buffer.from(sent);
  return {
    final: (first & 0x80) !== 0,
    compressed: (first & 0x40) !== 0,
    opcode: first & 0x0f,
    payload,
    next: start + sizeBytes,
  };
}

/** Four bytes at a time, in memory of its own, which words need to be aligned. `key`: four bytes. */
function unmasked(sent: Buffer, key: Buffer): Buffer {
  const payload = Buffer.allocUnsafeSlow(sent.length);
  sent.copy(payload);
  const words = new Uint32Array(payload.buffer, 0, sent.length >> 2);
  const [mask = 0] = new Uint32Array(Uint8Array.from(key).buffer);
  for (let i = 0; i < words.length; i++) words[i] = (words[i] ?? 0) ^ mask;
  for (let i = words.length * 4; i < payload.length; i++) payload[i] = (payload[i] ?? 0) ^ (key[i & 3] ?? 0);
  return payload;
}
