import type { Dialect, Exchange } from '../../../protocol/sessions.ts';
import type { Reply } from '../dialects/dialect.ts';
import type { SideKind } from '../dialects/sideTraffic.ts';
import type { EventStream } from '../events/eventStream.ts';
import type { HttpHead } from '../wire/httpHead.ts';

/** One request to a model and its reply as read off the wire: nothing redacted, nothing stored yet. */
export interface CapturedExchange {
  readonly startedAtMs: number;
  readonly firstByteAtMs: number | null;
  readonly endedAtMs: number;
  readonly method: string;
  /** Path with query. */
  readonly target: string;
  /** Head of the request; of the upgrade for a WebSocket. */
  readonly requestHead: HttpHead;
  readonly responseHead: HttpHead | null;
  /** Body as JSON; null when it could not be read. */
  readonly request: unknown;
  /** The decoded body, or the WebSocket message; null when it was too large to be kept. */
  readonly requestBody: Buffer | null;
  /** Bodies or messages as transferred: without framing, before their content coding is undone. */
  readonly requestSizeBytes: number;
  readonly responseSizeBytes: number;
  readonly status: number | null;
  readonly dialect: Dialect;
  readonly transport: Exchange['transport'];
  readonly reply: Reply;
  /** The reply's bytes with their times; null when there was no reply. */
  readonly events: EventStream | null;
}

/** When an exchange began, was first answered and ended, epoch ms. */
type ExchangeTimes = Pick<CapturedExchange, 'startedAtMs' | 'firstByteAtMs' | 'endedAtMs'>;

/** What comes later is no earlier: a clock may be set back meanwhile. */
export function inOrder({ startedAtMs, firstByteAtMs, endedAtMs }: ExchangeTimes): ExchangeTimes {
  const first = firstByteAtMs === null ? null : Math.max(startedAtMs, firstByteAtMs);
  return { startedAtMs, firstByteAtMs: first, endedAtMs: Math.max(first ?? startedAtMs, endedAtMs) };
}

/** Traffic with a model host that calls no model: lists of models, account checks, telemetry. */
export interface SideRequest {
  readonly atMs: number;
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly kind: SideKind;
  readonly status: number | null;
  readonly sizeBytes: number;
}

export interface CaptureListener {
  exchange(exchange: CapturedExchange): void;
  side(request: SideRequest): void;
  /** Characters that the running reply has brought so far. */
  streaming(characters: number): void;
}
