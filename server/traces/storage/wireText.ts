import { dialectNamed } from '../dialects/index.ts';
import type { Framing } from '../events/eventStream.ts';
import { unpackRequestText } from '../events/requestText.ts';
import { type Omission, type TimedBytes, unpackEvents } from '../events/storedEvents.ts';

/** One exchange as it was on the wire, after transfer and content coding. */
export interface WireText {
  /** Body of the request, or the WebSocket message. */
  readonly request: string;
  /** False when a secret was taken out of `request`, or it could not be kept. */
  readonly requestExact: boolean;
  /** Null when there was no reply. */
  readonly framing: Framing | null;
  /** Why there are no events; null when they are all there. */
  readonly omitted: Omission | null;
  /** In order. An event of a stream has its lines, the empty one included; put together they are the body's text. */
  readonly events: readonly WireEvent[];
  /** The reply's bytes; a WebSocket's messages one after the other. */
  readonly body: Buffer;
}

export interface WireEvent {
  /** When its last byte came, epoch ms. */
  readonly atMs: number;
  readonly text: string;
}

/** What is stored of an exchange, with every reference expanded. */
interface StoredWire {
  readonly startedAtMs: number;
  readonly dialect: string;
  readonly request: unknown;
  readonly requestVerbatim: Buffer | null;
  readonly response: unknown;
  readonly responseEvents: Buffer | null;
}

/** The reply's side of a `WireText`. */
export type WireReply = Omit<WireText, 'request' | 'requestExact'>;

/** @throws when what is stored cannot be read */
export function toWireText(stored: StoredWire): WireText {
  const listField = dialectNamed(stored.dialect)?.listField ?? 'input';
  const request = unpackRequestText(stored.requestVerbatim, stored.request, listField);
  return { request: request.text, requestExact: request.exact, ...toWireReply(stored) };
}

/** @throws when what is stored cannot be read */
export function toWireReply(stored: Omit<StoredWire, 'dialect' | 'request' | 'requestVerbatim'>): WireReply {
  const replyText = stored.response === null ? '' : JSON.stringify(stored.response);
  const reply =
    stored.responseEvents === null ? null : unpackEvents(stored.responseEvents, replyText, stored.startedAtMs);
  return {
    framing: reply?.framing ?? null,
    omitted: reply?.omitted ?? null,
    events: reply === null ? [] : reply.framing === 'sse' ? eventsOf(reply.pieces) : reply.pieces.map(toEvent),
    body: Buffer.concat(reply?.pieces.map(piece => piece.bytes) ?? []),
  };
}

const emptyLine = /(?:\r\n|\n|\r(?!\n)){2}/g;

/** Pieces are cut where they came in two; events at their empty line. */
function eventsOf(pieces: readonly TimedBytes[]): WireEvent[] {
  const bytes = Buffer.concat(pieces.map(piece => piece.bytes));
  const events: WireEvent[] = [];
  let from = 0;
  let piece = 0;
  let pieceEnd = pieces[0]?.bytes.length ?? 0;
  const add = (end: number) => {
    while (pieceEnd < end) pieceEnd += pieces[++piece]?.bytes.length ?? Number.POSITIVE_INFINITY;
    events.push({ atMs: pieces[piece]?.atMs ?? 0, text: bytes.toString('utf8', from, end) });
    from = end;
  };
  for (const match of bytes.toString('latin1').matchAll(emptyLine)) add(match.index + match[0].length);
  if (from < bytes.length) add(bytes.length);
  return events;
}

function toEvent({ atMs, bytes }: TimedBytes): WireEvent {
  return { atMs, text: bytes.toString('utf8') };
}
