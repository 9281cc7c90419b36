import { crc32, inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { ByteReader, ByteWriter } from './byteWriter.ts';
import { deflate, zstd } from './compression.ts';
import type { EventStream, Framing } from './eventStream.ts';
import { columnCount, counterSlot } from './layout.ts';
import { typicalEvents } from './typicalEvents.ts';

/** Why the events of a reply are not there: a secret was in them, or they were too large. */
export type Omission = 'redacted' | 'tooLarge';

/** A piece of a reply's bytes, usually one event or message, and when its last byte came (epoch ms). */
export interface TimedBytes {
  readonly atMs: number;
  readonly bytes: Buffer;
}

interface StoredEvents {
  readonly framing: Framing;
  readonly omitted: Omission | null;
  /** In order; put together, they are the reply's decoded body. */
  readonly pieces: readonly TimedBytes[];
}

/** The first byte of what is stored: framing, and whether the events are there. Append only. */
const kinds: readonly Pick<StoredEvents, 'framing' | 'omitted'>[] = [null, 'redacted', 'tooLarge'].flatMap(omitted =>
  (['sse', 'messages', 'body'] as const).map(framing => ({ framing, omitted: omitted as Omission | null })),
);

/** Beside the kind in the first byte: the only piece is the reply's JSON itself. */
const isReply = 0x80;
/** Or what follows is raw deflate instead of zstd. */
const deflated = 0x40;
/** In both cases there is a checksum behind the first byte; zstd has its own. */
const checkedHeadBytes = 5;
/** Below this size deflate is smaller and takes a third of zstd's time. Dictionary and text must fit into its window. */
const maxDeflatedBytes = 4 * 1024;
const deflateWindowBytes = 32 * 1024;

/** A sixth smaller than at zstd's default of 3 in the same time; from 9 on it takes ten times as long. */
const compressionLevel = 7;
/** As much of a reply as is worth looking for repetitions in. */
const maxReplyBytes = 256 * 1024;

/** What to store of a stream. `replyText`: the stored reply's JSON, of which events are mostly made. */
export function packEvents(stream: EventStream, replyText: string): Buffer {
  if (stream.overflown) return packOmission(stream.framing, 'tooLarge');
  const kind = kindOf(stream.framing, null);
  const onlyAtMs = stream.onlyPieceAt(replyText);
  if (onlyAtMs !== null) return packReplyItself(kind, onlyAtMs - stream.startedAtMs, replyText);
  const packed = stream.packed();
  const dictionary = dictionaryOf(replyText);
  if (packed.length <= maxDeflatedBytes && packed.length + dictionary.length <= deflateWindowBytes) {
    return Buffer.concat([checkedHead(kind | deflated, packed), deflate(packed, dictionary)]);
  }
  return Buffer.concat([Buffer.of(kind), zstd(packed, { dictionary, level: compressionLevel, checksum: true })]);
}

function packReplyItself(kind: number, afterMs: number, replyText: string): Buffer {
  const packed = new ByteWriter();
  packed.signed(afterMs);
  return Buffer.concat([checkedHead(kind | isReply, replyText), packed.view()]);
}

/** With another text of the reply than this one, unpacking must fail, not give other events. */
function checkedHead(kind: number, content: Buffer | string): Buffer {
  const head = Buffer.allocUnsafe(checkedHeadBytes);
  head.writeUInt8(kind);
  head.writeUInt32LE(crc32(content), 1);
  return head;
}

function check(stored: Buffer, content: Buffer | string): void {
  if (crc32(content) !== stored.readUInt32LE(1)) throw new RangeError('The reply’s events do not fit the reply.');
}

export function packOmission(framing: Framing, omitted: Omission): Buffer {
  return Buffer.of(kindOf(framing, omitted));
}

/** The reverse of `packEvents`, with the same text of the reply. @throws when the bytes are not what it made */
export function unpackEvents(stored: Buffer, replyText: string, startedAtMs: number): StoredEvents {
  const first = stored.readUInt8(0);
  const kind = kinds[first & ~(isReply | deflated)];
  if (kind === undefined) throw new RangeError('The reply’s events were stored in an unknown way.');
  if (kind.omitted !== null) return { ...kind, pieces: [] };
  if ((first & isReply) !== 0) {
    check(stored, replyText);
    const atMs = startedAtMs + new ByteReader(stored.subarray(checkedHeadBytes)).signed();
    return { ...kind, pieces: [{ atMs, bytes: Buffer.from(replyText) }] };
  }
  const dictionary = dictionaryOf(replyText);
  const packed =
    (first & deflated) !== 0 ? inflated(stored, dictionary) : zstdDecompressSync(stored.subarray(1), { dictionary });
  return { ...kind, pieces: piecesOf(packed, startedAtMs) };
}

function inflated(stored: Buffer, dictionary: Buffer): Buffer {
  const packed = inflateRawSync(stored.subarray(checkedHeadBytes), { dictionary });
  check(stored, packed);
  return packed;
}

/** The pieces of `EventStream.packed()`. */
export function piecesOf(packed: Buffer, startedAtMs: number): TimedBytes[] {
  const whole = new ByteReader(packed);
  const count = whole.varint();
  const layoutCount = whole.varint();
  const column = () => new ByteReader(whole.bytes(whole.varint()));
  const [kindsOf, times, counters, literals] = [column(), column(), column(), column()];
  const texts = Array.from({ length: columnCount }, () => ({ lengths: column(), bytes: column() }));
  const layouts = Array.from({ length: layoutCount }, () => layoutFrom(literals));
  let [atMs, kind, counter] = [startedAtMs, 0, 0];
  const text = (index: number) => texts[index]?.bytes.latin1(texts[index].lengths.varint()) ?? '';
  const value = (slot: number) => {
    if (slot !== counterSlot) return text(slot);
    counter += counters.signed() + 1;
    return String(counter);
  };
  return Array.from({ length: count }, () => {
    atMs += times.signed();
    kind += kindsOf.signed();
    const layout = layouts[kind - 1];
    const content =
      layout === undefined
        ? text(0)
        : layout.literals
            .map((literal, index) => (index === 0 ? literal : value(layout.slots[index - 1] ?? 0) + literal))
            .join('');
    return { atMs, bytes: Buffer.from(content, 'latin1') };
  });
}

function layoutFrom(reader: ByteReader): { slots: number[]; literals: string[] } {
  const slots = Array.from({ length: reader.varint() }, () => reader.varint());
  const lengths = Array.from({ length: slots.length + 1 }, () => reader.varint());
  return { slots, literals: lengths.map(length => reader.latin1(length)) };
}

function kindOf(framing: Framing, omitted: Omission | null): number {
  return kinds.findIndex(kind => kind.framing === framing && kind.omitted === omitted);
}

/** What comes last is found most cheaply: the reply, in which the text of all deltas stands in one piece. */
function dictionaryOf(replyText: string): Buffer {
  return Buffer.concat([typicalEvents, Buffer.from(replyText).subarray(0, maxReplyBytes)]);
}
