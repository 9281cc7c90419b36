import { ByteWriter } from './byteWriter.ts';
import { columnCount, counterSlot, type Layout, learn, paddingSlot, valuesIn } from './layout.ts';
import { TextColumn } from './textColumn.ts';

/** How the texts of a reply stood on the wire: in an event stream, as WebSocket messages, or as one body. */
export type Framing = 'sse' | 'messages' | 'body';

/** Bytes that are kept of one reply beside what repeats; beyond, its events are let go and marked so. */
const maxKeptBytes = 8 * 1024 * 1024;
/** Layouts that an event is compared with, the last used first. */
const maxLiveLayouts = 12;

/**
 * The bytes of a reply with their times, in columns that compress well. Nothing is interpreted: an event that fits a
 * layout is kept as its values, any other as it is, and either way the same bytes come out again.
 */
export class EventStream {
  readonly framing: Framing;
  readonly startedAtMs: number;
  #lastAtMs: number;
  #lastCounter = 0;
  #lastKind = 0;
  #count = 0;
  #layoutCount = 0;
  #keptBytes = 0;
  #slotCharacters = 0;
  #live: Layout[] = [];
  /** Which layout each piece has, 0 for none, as difference to the one before. */
  #kinds = new ByteWriter();
  #times = new ByteWriter();
  #counters = new ByteWriter();
  #layouts = new ByteWriter();
  /** The first column has the pieces of no layout, the others the values of the text slots. */
  #texts = newColumns();

  constructor(framing: Framing, startedAtMs: number) {
    this.framing = framing;
    this.startedAtMs = startedAtMs;
    this.#lastAtMs = startedAtMs;
  }

  /** The reply was longer than what is kept: nothing is. */
  get overflown(): boolean {
    return this.#keptBytes > maxKeptBytes;
  }

  /** Characters in text slots so far, without padding. */
  get slotCharacters(): number {
    return this.#slotCharacters;
  }

  /** Adds bytes, as Latin-1 characters, usually one event. Returns the layout that they have. */
  push(text: string, atMs: number): Layout | null {
    if (this.overflown) return null;
    const time = Math.round(atMs);
    this.#times.signed(time - this.#lastAtMs);
    this.#lastAtMs = time;
    this.#count++;
    this.#keptBytes += 2;
    const layout = this.framing === 'body' ? null : (this.#fit(text) ?? this.#learn(text));
    if (layout === null) this.#keepText(0, text);
    const kind = layout?.id ?? 0;
    this.#kinds.signed(kind - this.#lastKind);
    this.#lastKind = kind;
    if (this.overflown) this.letGo();
    return layout;
  }

  /** When the only piece came, if there is only one and it is this text; else null. */
  onlyPieceAt(text: string): number | null {
    if (this.#count !== 1 || this.#layoutCount > 0 || this.overflown) return null;
    return this.#texts[0]?.bytes().equals(Buffer.from(text)) ? this.#lastAtMs : null;
  }

  /** Every text in here that could hold a secret, reassembled over the events. */
  texts(): string[] {
    const columns = [this.#layouts.view(), ...this.#texts.map(column => column.bytes())];
    return columns.filter(bytes => bytes.length > 0).map(bytes => bytes.toString('utf8'));
  }

  /** Everything, as what `piecesOf` reads. */
  packed(): Buffer {
    const packed = new ByteWriter();
    packed.varint(this.#count);
    packed.varint(this.#layoutCount);
    const columns = this.#texts.flatMap(column => [column.lengths(), column.bytes()]);
    for (const bytes of [
      ...[this.#kinds, this.#times, this.#counters, this.#layouts].map(writer => writer.view()),
      ...columns,
    ]) {
      packed.varint(bytes.length);
      packed.bytes(bytes);
    }
    return packed.view();
  }

  /** Keeps nothing of the reply: it is too large. */
  letGo(): void {
    this.#keptBytes = Number.POSITIVE_INFINITY;
    this.#live = [];
    this.#texts = newColumns();
    [this.#kinds, this.#times, this.#counters, this.#layouts] = [0, 1, 2, 3].map(() => new ByteWriter()) as [
      ByteWriter,
      ByteWriter,
      ByteWriter,
      ByteWriter,
    ];
  }

  #fit(text: string): Layout | null {
    for (let index = 0; index < this.#live.length; index++) {
      const layout = this.#live[index] as Layout;
      const values = valuesIn(text, layout);
      if (values === null) continue;
      if (index > 0) {
        this.#live.splice(index, 1);
        this.#live.unshift(layout);
      }
      this.#keepValues(layout, values);
      return layout;
    }
    return null;
  }

  #learn(text: string): Layout | null {
    const layout = learn(text, this.#layoutCount + 1);
    const values = layout === null ? null : valuesIn(text, layout);
    if (layout === null || values === null) return null;
    this.#layoutCount++;
    this.#layouts.varint(layout.slots.length);
    for (const slot of layout.slots) this.#layouts.varint(slot);
    for (const literal of layout.literals) this.#layouts.varint(literal.length);
    for (const literal of layout.literals) this.#layouts.latin1(literal);
    this.#keptBytes += text.length;
    this.#live.unshift(layout);
    if (this.#live.length > maxLiveLayouts) this.#live.pop();
    this.#keepValues(layout, values);
    return layout;
  }

  #keepValues({ slots }: Layout, values: readonly string[]): void {
    for (let index = 0; index < slots.length; index++) {
      const slot = slots[index] as number;
      const value = values[index] as string;
      if (slot !== counterSlot) {
        this.#keepText(slot, value);
        if (slot !== paddingSlot) this.#slotCharacters += value.length;
      } else {
        const counter = Number(value);
        this.#counters.signed(counter - this.#lastCounter - 1);
        this.#lastCounter = counter;
      }
    }
  }

  #keepText(column: number, text: string): void {
    this.#texts[column]?.push(text);
    this.#keptBytes += text.length + 1;
  }
}

function newColumns(): TextColumn[] {
  return Array.from({ length: columnCount }, () => new TextColumn());
}
