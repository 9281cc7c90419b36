/** The few ASN.1 DER forms that a certificate needs (X.690). Each returns one encoded value. */

function tlv(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const hex = content.length.toString(16);
  const size = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | size.length]), size, content]);
}

export const sequence = (...members: readonly Uint8Array[]): Buffer => tlv(0x30, ...members);
export const set = (...members: readonly Uint8Array[]): Buffer => tlv(0x31, ...members);
export const octets = (content: Uint8Array): Buffer => tlv(0x04, content);
export const utf8 = (text: string): Buffer => tlv(0x0c, Buffer.from(text, 'utf8'));
export const yes = (): Buffer => Buffer.from([0x01, 0x01, 0xff]);

/** A non-negative integer of any size, big-endian. */
export function integer(bytes: Uint8Array): Buffer {
  const positive = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
  return tlv(0x02, positive);
}

export function bits(content: Uint8Array, unusedBits = 0): Buffer {
  return tlv(0x03, Buffer.from([unusedBits]), content);
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tlv(0x06, Buffer.from(bytes));
}

/** UTCTime up to 2049, GeneralizedTime after it, as RFC 5280 §4.1.2.5 demands. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  return date.getUTCFullYear() < 2050
    ? tlv(0x17, Buffer.from(digits.slice(2), 'latin1'))
    : tlv(0x18, Buffer.from(digits, 'latin1'));
}

/** Context-specific tag `[n]` around whole values. */
export const explicit = (n: number, ...members: readonly Uint8Array[]): Buffer => tlv(0xa0 | n, ...members);
/** Context-specific tag `[n]` in place of a primitive value's own. */
export const implicit = (n: number, content: Uint8Array): Buffer => tlv(0x80 | n, content);
