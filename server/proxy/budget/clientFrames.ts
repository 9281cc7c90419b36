/** A part of a frame as it stands on the wire. */
export interface FramePart {
  readonly bytes: Buffer;
  /** True for the first part of the first frame of a text or binary message. */
  readonly startsMessage: boolean;
  /** True for the last part of the last frame of a message. */
  readonly endsMessage: boolean;
  /** Ping, pong and close stand between the frames of messages. */
  readonly control: boolean;
}

/** Cuts what a client sends over a WebSocket (RFC 6455 §5.2) where frames begin and end; contents stay as they are. */
export class ClientFrames {
  readonly #listener: (part: FramePart) => void;
  #head: Buffer = Buffer.alloc(0);
  #remaining = 0;
  #opcode = 0;
  #final = false;

  constructor(listener: (part: FramePart) => void) {
    this.#listener = listener;
  }

  push(input: Buffer): void {
    let rest = input;
    while (rest.length > 0) rest = this.#remaining > 0 ? this.#readPayload(rest) : this.#readHead(rest);
  }

  #readHead(input: Buffer): Buffer {
    const known = this.#head.length;
    const bytes = known === 0 ? input : Buffer.concat([this.#head, input]);
    const size = headSize(bytes);
    if (size === null || bytes.length < size) {
      this.#head = Buffer.from(bytes);
      return input.subarray(input.length);
    }
    const head = bytes.subarray(0, size);
    this.#head = Buffer.alloc(0);
    this.#opcode = head.readUInt8(0) & 0x0f;
    this.#final = head.readUInt8(0) >= 0x80;
    this.#remaining = payloadSize(head);
    const control = this.#opcode >= 8;
    this.#emit(head, !control && this.#opcode !== 0);
    return bytes.subarray(size);
  }

  #readPayload(input: Buffer): Buffer {
    const part = input.subarray(0, this.#remaining);
    this.#remaining -= part.length;
    this.#emit(part, false);
    return input.subarray(part.length);
  }

  #emit(bytes: Buffer, startsMessage: boolean): void {
    const control = this.#opcode >= 8;
    this.#listener({
      bytes,
      startsMessage,
      endsMessage: !control && this.#final && this.#remaining === 0,
      control,
    });
  }
}

/** Null while too little of it has come. */
function headSize(bytes: Buffer): number | null {
  if (bytes.length < 2) return null;
  const second = bytes.readUInt8(1);
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (second >= 0x80 ? 4 : 0);
}

function payloadSize(head: Buffer): number {
  const short = head.readUInt8(1) & 0x7f;
  if (short < 126) return short;
  return short === 126 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
}

/** A whole text message from a server: unmasked, and never compressed, whatever was agreed on. */
export function textFrame(text: string): Buffer {
  return frame(0x1, Buffer.from(text, 'utf8'));
}

/** 1008 is a violated policy (RFC 6455 §7.4.1). */
export function policyClose(): Buffer {
  return frame(0x8, Buffer.from([0x03, 0xf0]));
}

function frame(opcode: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126 ? Buffer.from([0x80 | opcode, payload.length]) : Buffer.from([0x80 | opcode, 126, 0, 0]);
  if (head.length > 2) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}
