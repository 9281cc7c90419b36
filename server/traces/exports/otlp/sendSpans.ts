import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { CoachError } from '../../../../protocol/errors.ts';
import type { OtlpTraces } from './encoding.ts';

/** Bytes of one request. OpenTelemetry's own collector takes 20 MiB unless told otherwise; services take less. */
const maxBodyBytes = 4_000_000;

/** What a collector answers that has no time now; OTLP over HTTP says to send the same again. */
const passing: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const patience = {
  /** How long one body may take, with all tries. */
  withinMs: 30_000,
  /** Before the second try; twice as long before each one after. A collector that asks for more is given it. */
  pauseMs: 1000,
};

/** Spans as bodies of requests, of at most so many bytes where one span alone has no more. */
export function* bodiesOf({ resourceSpans }: OtlpTraces, mostBytes = maxBodyBytes): Generator<string> {
  for (const { resource, scopeSpans } of resourceSpans) {
    for (const { scope, spans } of scopeSpans) {
      const toBody = (texts: readonly string[]) =>
        `{"resourceSpans":[{"resource":${JSON.stringify(resource)},"scopeSpans":[{"scope":${JSON.stringify(scope)},"spans":[${texts.join(',')}]}]}]}`;
      const frameBytes = Buffer.byteLength(toBody([]));
      let texts: string[] = [];
      let sizeBytes = frameBytes - 1;
      for (const span of spans) {
        const text = JSON.stringify(span);
        const spanBytes = Buffer.byteLength(text) + 1;
        if (texts.length > 0 && sizeBytes + spanBytes > mostBytes) {
          yield toBody(texts);
          texts = [];
          sizeBytes = frameBytes - 1;
        }
        texts.push(text);
        sizeBytes += spanBytes;
      }
      yield toBody(texts);
    }
  }
}

/**
 * Sends bodies to a collector, one after the other, and returns their size. One that fails half-way keeps what it took:
 * the ids of spans are the same when they are sent again.
 * @throws CoachError `export.failed`
 */
export async function sendSpans(
  endpoint: string,
  bodies: Iterable<string>,
  signal: AbortSignal,
  { withinMs, pauseMs } = patience,
): Promise<number> {
  let sizeBytes = 0;
  for (const body of bodies) {
    const endMs = performance.now() + withinMs;
    const leftMs = () => Math.max(0, Math.floor(endMs - performance.now()));
    let answer = await post(endpoint, body, signal, leftMs());
    for (let pause = pauseMs; passing.has(answer.status); pause *= 2) {
      const waitMs = Math.max(pause, answer.retryAfterMs);
      if (waitMs >= leftMs()) break;
      await setTimeout(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      answer = await post(endpoint, body, signal, leftMs());
    }
    check(endpoint, answer);
    sizeBytes += Buffer.byteLength(body);
  }
  return sizeBytes;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number;
}

async function post(endpoint: string, body: string, signal: AbortSignal, withinMs: number): Promise<Answer> {
  signal.throwIfAborted();
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      // A redirect could lead the session to another host than the user named.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]),
    });
    // Of a refusal its status says enough.
    if (!response.ok) await response.body?.cancel().catch(() => undefined);
    const text = response.ok ? await response.text() : '';
    return { status: response.status, text, retryAfterMs: toWaitMs(response.headers.get('retry-after') ?? '0') };
  } catch (error) {
    signal.throwIfAborted();
    throw refused(endpoint, reasonOf(error), error);
  }
}

/** What a collector asks to wait, in seconds or until a date; 0 of what is neither. */
function toWaitMs(asked: string): number {
  const seconds = Number(asked);
  return (Number.isNaN(seconds) ? Date.parse(asked) - Date.now() : seconds * 1000) || 0;
}

function check(endpoint: string, { status, text }: Answer): void {
  if (status < 200 || status > 299) throw refused(endpoint, `it answered ${status}`, undefined, hintFor(status));
  const rejected = rejectedIn(text);
  if (rejected === null) throw refused(endpoint, `it answered ${status} with something else than a collector does`);
  if (rejected > 0) throw refused(endpoint, `it rejected ${rejected} of them`);
}

/** What stands in an answer of OTLP over HTTP, which is JSON where the request was; its counts may be texts. */
const Outcome = z.object({
  partialSuccess: z.object({ rejectedSpans: z.coerce.number().default(0) }).nullish(),
});

/** Spans that a collector did not take, as its answer tells; of none it need not tell. Null: it is no such answer. */
function rejectedIn(text: string): number | null {
  if (text.trim() === '') return 0;
  try {
    return Outcome.parse(JSON.parse(text)).partialSuccess?.rejectedSpans ?? 0;
  } catch {
    return null;
  }
}

const urlHint = 'Give the whole URL of a collector for OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces';

function hintFor(status: number): string {
  if (passing.has(status)) return 'It has no time now. Export again later: the spans keep their ids.';
  return status === 413 ? 'Let it take larger requests, or export without --content.' : urlHint;
}

function refused(endpoint: string, why: string, cause?: unknown, hint = urlHint): CoachError {
  return new CoachError('export.failed', `${endpoint} did not take the spans: ${why}.`, { cause, hint });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
