import { CoachError } from '../../../protocol/errors.ts';
import type { Exchange } from '../../../protocol/sessions.ts';
import type { DialectReader } from '../../traces/dialects/dialect.ts';
import { dialectNamed, dialectOf } from '../../traces/dialects/index.ts';
import { arrayAt, isObject, parseJson, stringAt } from '../../traces/json.ts';
import { Redactor } from '../../traces/redaction.ts';
import type { TraceStore, WholeExchange } from '../../traces/store.ts';
import type { WireEvent } from '../../traces/wireText.ts';
import { type NormalisedRequest, normaliseRequest } from './conversationKey.ts';
import { difference } from './difference.ts';
import { mapStrings, replaceDirectory } from './normalise.ts';
import { responseEvents, toSse } from './responseEvents.ts';
import type { ReplayMiss, ReplayReply, ReplaySource } from './source.ts';

interface Recorded {
  readonly exchange: Exchange;
  readonly request: NormalisedRequest;
}

type Normalise = (dialect: DialectReader, path: string, body: unknown) => NormalisedRequest;

export interface RecordedOptions {
  /** The words of prompts need not be those of the session. */
  readonly anyPrompt?: boolean;
  /** Takes secrets out of what is compared and shown, on both sides: what is known of them may have changed since. */
  readonly redactor?: Redactor;
}

/**
 * Answers from a recorded session, whatever API it used: with the reply that followed the same conversation, as it
 * came. Failed exchanges are left out: the agent's own repetition followed them.
 * @throws CoachError `session.missing`; `input.invalid` when no exchange of the session has an answer
 */
export function recordedSource(store: TraceStore, sessionId: string, options: RecordedOptions = {}): ReplaySource {
  const session = store.requireSession(sessionId);
  const { anyPrompt = false, redactor = new Redactor() } = options;
  const normalise: Normalise = (dialect, path, body) => normaliseRequest(dialect, path, redactor.json(body), anyPrompt);
  const recorded = [...store.wholeExchanges(sessionId)].flatMap(whole => toRecorded(whole, normalise));
  if (recorded.length === 0) {
    throw new CoachError('input.invalid', `Session ${sessionId} has no answer of a model to replay.`, {
      hint: 'See what was recorded with: codex-coach sessions show <id>',
    });
  }
  return {
    model: session.models[0] ?? 'unknown',
    answer(path, body) {
      const dialect = dialectOf(path);
      if (dialect === null) return null;
      const request = normalise(dialect, path, body);
      const found = bestOf(recorded, request);
      if (found === null) return { mismatch: describeMiss(recorded, request) };
      return reply(store, found, request);
    },
  };
}

function toRecorded({ exchange, request, response }: WholeExchange, normalise: Normalise): Recorded[] {
  const dialect = dialectNamed(exchange.dialect);
  if (dialect === null || response === null || exchange.error !== null) return [];
  if (exchange.status === null || exchange.status >= 400) return [];
  // Codex warms up a WebSocket with a request that is to be answered by nothing; a replay offers it none.
  if (isObject(request) && request['generate'] === false) return [];
  const path = exchange.url.split('?')[0] ?? '';
  return [{ exchange, request: normalise(dialect, path, request) }];
}

/** Of several that fit, the one said in the same context; of those the last, as a repetition corrects what it repeats. */
function bestOf(recorded: readonly Recorded[], request: NormalisedRequest): Recorded | null {
  const fitting = recorded.filter(
    ({ request: known }) => isSameKind(known, request) && sameLines(known.said, request.said),
  );
  return fitting.findLast(({ request: known }) => known.context === request.context) ?? fitting.at(-1) ?? null;
}

function isSameKind(a: NormalisedRequest, b: NormalisedRequest): boolean {
  return a.operation === b.operation && a.offersTools === b.offersTools;
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}

/** Shows the recorded request that goes along with this one the longest. */
function describeMiss(recorded: readonly Recorded[], request: NormalisedRequest): string {
  const steps = recorded.map(({ request: known }, index) => ({ known, index, shared: shared(known, request) }));
  const nearest = steps.reduce((best, step) => (closer(step, best, request) ? step : best));
  const expected = nearest.known.said[nearest.shared];
  const actual = request.said[nearest.shared];
  const place = `Nearest is recorded request ${nearest.index + 1} of ${recorded.length}`;
  if (expected === undefined && actual === undefined) {
    if (nearest.known.operation !== request.operation) {
      return `${place}, which asks for ${nearest.known.operation}, not ${request.operation}.`;
    }
    return `${place}, which ${nearest.known.offersTools ? 'offers' : 'does not offer'} the model tools.`;
  }
  if (expected === undefined) {
    return `The recording has no answer to what the agent went on with. ${place}, after which it said:\n${actual}`;
  }
  if (actual === undefined) return `${place}; the agent left out what follows there:\n${expected}`;
  return `${place}; item ${nearest.shared + 1} of the conversation ${difference(expected, actual)}`;
}

type Step = { readonly known: NormalisedRequest; readonly shared: number };

function closer(step: Step, best: Step, { said }: NormalisedRequest): boolean {
  if (step.shared !== best.shared) return step.shared > best.shared;
  return Math.abs(step.known.said.length - said.length) < Math.abs(best.known.said.length - said.length);
}

function shared(known: NormalisedRequest, request: NormalisedRequest): number {
  const at = known.said.findIndex((line, index) => line !== request.said[index]);
  return at < 0 ? known.said.length : at;
}

/** The recorded reply; where it names the directory of its session, put together anew for the agent's own. */
function reply(store: TraceStore, recorded: Recorded, request: NormalisedRequest): ReplayReply | ReplayMiss {
  const { exchange } = recorded;
  const stored = store.wholeExchange(exchange.id);
  if (stored === null) return { mismatch: 'The recording was deleted during the replay.' };
  const { response } = stored;
  const [from, to] = [recorded.request.cwd, request.cwd];
  const there = mapStrings(response, text => move(text, from, to));
  const moved = JSON.stringify(there) !== JSON.stringify(response);
  const wire = moved ? null : store.wireText(exchange.id);
  if (wire !== null && wire.omitted === null && wire.events.length > 0) return asSent(exchange, wire.events);
  if (exchange.dialect !== 'responses') {
    if (moved) {
      return { mismatch: `The session was recorded in ${from}, which its answers name: start the agent there.` };
    }
    if (exchange.transport === 'json') return whole(response);
    return { mismatch: 'The recorded stream was not kept, so it can not be sent again.' };
  }
  const model = stringAt(response, 'model') ?? exchange.model ?? 'unknown';
  const events = responseEvents(model, arrayAt(there, 'output'), exchange.usage);
  return { contentType: 'text/event-stream', parts: [...events].map(event => ({ atMs: 0, text: toSse(event) })) };
}

function move(text: string, from: string | null, to: string | null): string {
  return from === null || to === null || from === to ? text : replaceDirectory(text, from, to);
}

function whole(response: unknown): ReplayReply {
  return { contentType: 'application/json', parts: [{ atMs: 0, text: JSON.stringify(response) }] };
}

/** The events as they came. WebSocket messages become events of a stream: agents are sent to plain HTTP. */
function asSent({ startedAt, transport }: Exchange, events: readonly WireEvent[]): ReplayReply {
  const startedMs = Date.parse(startedAt);
  const toText = (text: string) => (transport === 'websocket' ? `event: ${eventType(text)}\ndata: ${text}\n\n` : text);
  return {
    contentType: transport === 'json' ? 'application/json' : 'text/event-stream',
    parts: events.map(({ atMs, text }) => ({ atMs: atMs - startedMs, text: toText(text) })),
  };
}

function eventType(message: string): string {
  return stringAt(parseJson(message), 'type') ?? 'message';
}
