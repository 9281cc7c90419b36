import type { DialectReader, Reply, ReplyBuilder } from '../dialects/dialect.ts';
import { EventStream, type Framing } from '../events/eventStream.ts';
import { type Layout, textNames } from '../events/layout.ts';
import { piecesOf } from '../events/storedEvents.ts';
import { parseJson, stringAt } from '../json.ts';
import { maxRepeats, SplitTexts, withTexts } from '../redaction/splitTexts.ts';
import { eachPlace } from '../wire/httpParser.ts';
import { SseParser } from '../wire/sse.ts';

/** Longest event that is waited for; a longer one is taken in pieces. */
const maxEventBytes = 4 * 1024 * 1024;
/** How much is decoded at once. What is kept of it keeps all of it, until it is copied. */
const decodedBytes = 16 * 1024;
/** Texts in these are values of a layout, which are put together with the events. */
const inLayouts: ReadonlySet<string> = new Set(textNames);

/**
 * Reads a reply while it streams: keeps its bytes and builds what they say. Hundreds of deltas that only repeat what a
 * later event has are recognised by their layout and not parsed; when that event never comes, they are read at the end.
 */
export class ReplyReader {
  readonly events: EventStream;
  readonly #dialect: DialectReader;
  readonly #builder: ReplyBuilder;
  /** Secrets may come in pieces also where the builder joins none. */
  readonly #texts = new SplitTexts();
  #layout: Layout | null = null;
  /** Events in a row that have that layout. */
  #alike = 0;
  #characters = 0;
  #skipped = false;
  #ended = false;

  constructor(dialect: DialectReader, framing: Framing, startedAtMs: number) {
    this.#dialect = dialect;
    this.#builder = dialect.reply();
    this.events = withTexts(new EventStream(framing, startedAtMs), this.#texts);
  }

  /** Characters that the reply has brought so far. */
  get characters(): number {
    return this.#characters;
  }

  /** The event came with which the API ends a reply, for a dialect that has one. */
  get ended(): boolean {
    return this.#ended;
  }

  /** One event: its bytes as Latin-1 characters, and what gives its data where they are asked for. */
  event(bytes: string, atMs: number, read: (bytes: string) => unknown): void {
    const before = this.events.slotCharacters;
    const layout = this.events.push(bytes, atMs);
    if (layout?.skipped === true) {
      this.#skipped = true;
      this.#characters += this.events.slotCharacters - before;
      return;
    }
    const type = this.#take(read(bytes), layout);
    if (layout !== null && this.#dialect.endings !== undefined && type?.endsWith('.delta')) layout.skipped = true;
  }

  /** What an event says. Returns its type. */
  take(value: unknown): string | null {
    return this.#take(value, null);
  }

  whole(value: unknown): void {
    if (Array.isArray(value)) for (const piece of value) this.#texts.add(piece);
    this.#builder.whole(value);
  }

  #take(value: unknown, layout: Layout | null): string | null {
    if (value === undefined) return null;
    this.#keepPieces(value, layout);
    this.#characters += this.#builder.event(value);
    const type = stringAt(value, 'type');
    if (type !== null && this.#dialect.endings?.has(type)) this.#ended = true;
    return type;
  }

  /** Events of one layout differ in its values alone, so after some of them the next has nothing more. */
  #keepPieces(value: unknown, layout: Layout | null): void {
    this.#alike = layout !== null && layout === this.#layout ? this.#alike + 1 : 1;
    this.#layout = layout;
    if (this.#alike > maxRepeats) return;
    const event = this.#dialect.inPieces === undefined ? value : this.#dialect.inPieces(value);
    if (layout === null) this.#texts.add(event);
    else this.#texts.add(event, inLayouts);
  }

  /** `cut`: the reply may have ended before its last event. */
  finish(cut: boolean): Reply {
    if (!this.#skipped || this.#ended || this.events.overflown) return this.#builder.finish(cut);
    const again = this.#dialect.reply();
    const reader = sseReader(value => again.event(value));
    for (const { bytes } of piecesOf(this.events.packed(), 0)) {
      if (this.events.framing === 'sse') reader.push(bytes);
      else again.event(parseJson(bytes.toString('utf8')));
    }
    return again.finish(cut);
  }
}

/** Splits a `text/event-stream` into its events, without a look at what is in them where that is possible. */
export class SseReply {
  readonly reader: ReplyReader;
  /** For what is not one `data:` line ended by an empty line, LF alone. */
  readonly #parser: SseParser;
  #begun: string[] = [];
  #begunBytes = 0;
  #plain = true;

  constructor(reader: ReplyReader) {
    this.reader = reader;
    this.#parser = sseReader(value => void reader.take(value));
  }

  push(bytes: Buffer, atMs: number): void {
    this.#take(bytes.toString('latin1'), atMs);
  }

  /** Pieces at these places, in pairs: many short ones are decoded at once. */
  pushAll(bytes: Buffer, places: readonly number[], atMs: number): void {
    let text = '';
    let from = 0;
    eachPlace(places, (start, end) => {
      if (end > from + text.length) {
        from = start;
        text = bytes.toString('latin1', start, Math.max(end, Math.min(start + decodedBytes, places.at(-1) ?? end)));
      }
      this.#take(text.slice(start - from, end - from), atMs);
    });
  }

  #take(text: string, atMs: number): void {
    if (this.#plain && text.includes('\r')) this.#giveUpEvents(atMs);
    if (this.#plain) this.#split(text, atMs);
    else this.#raw(text, atMs);
  }

  /** What has begun and did not end. */
  end(atMs: number): void {
    if (this.#begun.length > 0) this.#giveUpEvents(atMs);
  }

  #split(text: string, atMs: number): void {
    let from = 0;
    // The empty line that ends an event may begin this piece.
    let end = this.#begun.at(-1)?.endsWith('\n') && text.startsWith('\n') ? 1 : endOfEvent(text, 0);
    for (; end > 0; end = endOfEvent(text, from)) {
      const event = this.#begun.length === 0 ? text.slice(from, end) : this.#begun.join('') + text.slice(from, end);
      this.#begun = [];
      this.#begunBytes = 0;
      this.reader.event(event, atMs, this.#read);
      from = end;
    }
    if (from === text.length) return;
    this.#begun.push(text.slice(from));
    this.#begunBytes += text.length - from;
    if (this.#begunBytes > maxEventBytes) this.#giveUpEvents(atMs);
  }

  /** The data of a whole event; what is not of the usual form goes its own way. */
  readonly #read = (event: string): unknown => {
    const data = dataOf(event);
    if (data !== null) return parseJson(toUtf8(data));
    this.#parser.push(Buffer.from(event, 'latin1'));
    return undefined;
  };

  #raw(text: string, atMs: number): void {
    this.reader.events.push(text, atMs);
    this.#parser.push(Buffer.from(text, 'latin1'));
  }

  #giveUpEvents(atMs: number): void {
    this.#plain = false;
    const begun = this.#begun.join('');
    this.#begun = [];
    if (begun !== '') this.#raw(begun, atMs);
  }
}

/** Bytes as Latin-1 characters. */
export function toLatin1(text: string): string {
  return /[^\0-\x7f]/.test(text) ? Buffer.from(text).toString('latin1') : text;
}

function toUtf8(latin1: string): string {
  return /[\x80-\xff]/.test(latin1) ? Buffer.from(latin1, 'latin1').toString('utf8') : latin1;
}

function sseReader(listener: (value: unknown) => void): SseParser {
  return new SseParser(({ data }) => {
    const value = parseJson(data);
    if (value !== undefined) listener(value);
  });
}

/** Where the next event ends, or 0. */
function endOfEvent(text: string, from: number): number {
  const at = text.indexOf('\n\n', from);
  return at < 0 ? 0 : at + 2;
}

/** The data of an event of the usual form, `event: …` and one `data: …`; null for any other. */
function dataOf(event: string): string | null {
  const from = event.startsWith('event: ') ? event.indexOf('\n') + 1 : 0;
  return event.startsWith('data: ', from) && event.indexOf('\n', from) === event.length - 2
    ? event.slice(from + 6, -2)
    : null;
}
