import { CoachError } from '../../../protocol/errors.ts';
import type { Exchange } from '../../../protocol/sessions.ts';
import { withPauses } from '../../base/pauses.ts';
import type { DialectReader } from '../../traces/dialects/dialect.ts';
import { dialectNamed, dialectOf } from '../../traces/dialects/index.ts';
import { arrayAt, isObject, objectAt, parseJson, stringAt } from '../../traces/json.ts';
import { Redactor } from '../../traces/redaction/redaction.ts';
import type { WireEvent } from '../../traces/storage/wireText.ts';
import type { RecordedRequest, TraceStore } from '../../traces/store.ts';
import { type NormalisedRequest, normaliseRequest } from './conversationKey.ts';
import { difference } from './difference.ts';
import { mapStrings, replaceDirectory } from './normalise.ts';
import { keyOf, type RequestKey, sharedLength, type Trail } from './requestKey.ts';
import { type Keyed, RequestKeys } from './requestKeys.ts';
import { responseEvents, toSse } from './responseEvents.ts';
import type { ReplayMiss, ReplayReply, ReplaySource } from './source.ts';

interface Recorded {
  readonly exchange: Exchange;
  readonly key: Keyed;
}

type Normalise = (dialect: DialectReader, path: string, body: unknown) => NormalisedRequest;

export interface RecordedOptions {
  /** The words of prompts need not be those of the session. */
  readonly anyPrompt?: boolean;
  /** Takes secrets out of what is compared and shown, on both sides: what is known of them may have changed since. */
  readonly redactor?: Redactor;
}

/** How long requests are read at a time: this thread forwards all traffic, too. */
const maxReadingMs = 8;

/**
 * Answers from a recorded session, whatever API it used: with the reply that followed the same conversation, as it
 * came. Failed exchanges are left out, as the agent's own repetition followed them; a reply that its API broke off is kept
 * for who went on from there.
 * @throws CoachError `session.missing`; `input.invalid` when no exchange of the session has an answer
 */
export async function recordedSource(
  store: TraceStore,
  sessionId: string,
  options: RecordedOptions = {},
): Promise<ReplaySource> {
  const session = store.requireSession(sessionId);
  const { anyPrompt = false, redactor = new Redactor() } = options;
  const clean = (value: unknown) => redactor.json(value);
  const normalise: Normalise = (dialect, path, body) => normaliseRequest(dialect, path, clean(body), anyPrompt);
  const recorded: Recorded[] = [];
  const keys = new RequestKeys({ anyPrompt, clean });
  for await (const request of withPauses(store.requests(sessionId), maxReadingMs)) {
    const { exchange } = request;
    const dialect = dialectOfAnswered(store, request);
    const key = dialect === null ? null : keys.of(dialect, pathOf(exchange), request);
    const known = dialect === null ? null : (key ?? keyOfWhole(store, exchange, normalise));
    if (known !== null) recorded.push({ exchange, key: known });
  }
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
      const key = keyOf(request);
      const found = bestOf(recorded, key);
      if (found !== null) return reply(store, found, request);
      return asksModel(dialect, path, body) ? missOf(recorded, { store, request, key, normalise }) : null;
    },
  };
}

const deleted: ReplayMiss = { mismatch: 'The recording was deleted during the replay.' };

/** Null for a request that is not to be answered again. */
function dialectOfAnswered(
  store: TraceStore,
  { exchange, request, isAnswered }: RecordedRequest,
): DialectReader | null {
  if (!isAnswered || exchange.status === null || exchange.status >= 400) return null;
  if (exchange.error !== null && !isBrokenOff(store.reply(exchange.id))) return null;
  // Codex warms up a WebSocket with a request that is to be answered by nothing; a replay offers it none.
  if (isObject(request) && request['generate'] === false) return null;
  return dialectNamed(exchange.dialect);
}

/** Whether the API itself ended a reply of the Responses API before its end, such as at a limit of tokens. */
function isBrokenOff(reply: unknown): boolean {
  return stringAt(objectAt(reply, 'incomplete_details'), 'reason') !== null && arrayAt(reply, 'output').length > 0;
}

/** Agents do without an answer to what names no model and says nothing, at an endpoint that is not known. */
function asksModel(dialect: DialectReader, path: string, body: unknown): boolean {
  return dialect.id !== 'other' || dialect.model(path, body) !== null || dialect.asked(body).length > 0;
}

function pathOf({ url }: Exchange): string {
  return url.split('?')[0] ?? '';
}

/** Null when it is gone. */
function keyOfWhole(store: TraceStore, exchange: Exchange, normalise: Normalise): Keyed | null {
  const known = normalisedAgain(store, exchange, normalise);
  return known === null ? null : { ...keyOf(known), cwd: known.cwd };
}

/** A recorded request in words; null when it is gone. */
function normalisedAgain(store: TraceStore, exchange: Exchange, normalise: Normalise): NormalisedRequest | null {
  const whole = store.wholeExchange(exchange.id);
  const dialect = dialectNamed(exchange.dialect);
  return whole === null || dialect === null ? null : normalise(dialect, pathOf(exchange), whole.request);
}

/**
 * Of several that fit, those with a whole reply; of those the one said in the same context; of those the last, as a
 * repetition corrects what it repeats.
 */
function bestOf(recorded: readonly Recorded[], request: RequestKey): Recorded | null {
  const all = recorded.filter(({ key }) => isSameKind(key, request) && isSameTrail(key.said, request.said));
  const whole = all.filter(({ exchange }) => exchange.error === null);
  const fitting = whole.length > 0 ? whole : all;
  return fitting.findLast(({ key }) => key.context === request.context) ?? fitting.at(-1) ?? null;
}

function isSameKind(a: RequestKey, b: RequestKey): boolean {
  return a.operation === b.operation && a.offersTools === b.offersTools;
}

function isSameTrail(a: Trail, b: Trail): boolean {
  return a.length === b.length && a.end === b.end;
}

/** The recorded request that goes along with this one the longest; of several the one nearest in length. */
function nearestOf(recorded: readonly Recorded[], { said }: RequestKey): { nearest: Recorded; shared: number } {
  const steps = recorded.map(nearest => ({ nearest, shared: sharedLength(nearest.key.said, said) }));
  const distance = ({ nearest }: { nearest: Recorded }) => Math.abs(nearest.key.said.length - said.length);
  return steps.reduce((best, step) => {
    if (step.shared !== best.shared) return step.shared > best.shared ? step : best;
    return distance(step) < distance(best) ? step : best;
  });
}

interface Asked {
  readonly store: TraceStore;
  readonly request: NormalisedRequest;
  readonly key: RequestKey;
  readonly normalise: Normalise;
}

/** The nearest request is read again: of all others only the keys are kept. */
function missOf(recorded: readonly Recorded[], { store, request, key, normalise }: Asked): ReplayMiss {
  const { nearest, shared } = nearestOf(recorded, key);
  const known = normalisedAgain(store, nearest.exchange, normalise);
  if (known === null) return deleted;
  const place = `Nearest is recorded request ${recorded.indexOf(nearest) + 1} of ${recorded.length}`;
  return { mismatch: describeMiss({ known, request, shared, place }) };
}

interface Miss {
  readonly known: NormalisedRequest;
  readonly request: NormalisedRequest;
  /** Lines of the conversation that both have. */
  readonly shared: number;
  readonly place: string;
}

/** Shows where a request leaves the recorded one that goes along with it the longest. */
function describeMiss({ known, request, shared, place }: Miss): string {
  const expected = known.said[shared];
  const actual = request.said[shared];
  if (expected === undefined && actual === undefined) {
    if (known.operation !== request.operation) {
      return `${place}, which asks for ${known.operation}, not ${request.operation}.`;
    }
    return `${place}, which ${known.offersTools ? 'offers' : 'does not offer'} the model tools.`;
  }
  if (expected === undefined) {
    return `The recording has no answer to what the agent went on with. ${place}, after which it said:\n${actual}`;
  }
  if (actual === undefined) return `${place}; the agent left out what follows there:\n${expected}`;
  return `${place}; item ${shared + 1} of the conversation ${difference(expected, actual)}`;
}

/** The recorded reply; where it names the directory of its session, put together anew for the agent's own. */
function reply(store: TraceStore, recorded: Recorded, request: NormalisedRequest): ReplayReply | ReplayMiss {
  const { exchange } = recorded;
  const response = store.reply(exchange.id);
  if (response === null) return deleted;
  const [from, to] = [recorded.key.cwd, request.cwd];
  const there = mapStrings(response, text => move(text, from, to));
  const moved = JSON.stringify(there) !== JSON.stringify(response);
  const wire = moved ? null : store.wireReply(exchange.id);
  if (wire !== null && wire.omitted === null && wire.events.length > 0) return asSent(exchange, wire.events);
  if (exchange.transport === 'json') return whole(there);
  if (exchange.dialect !== 'responses') {
    if (moved) {
      return { mismatch: `The session was recorded in ${from}, which its answers name: start the agent there.` };
    }
    return { mismatch: 'The recorded stream was not kept, so it can not be sent again.' };
  }
  const model = stringAt(response, 'model') ?? exchange.model ?? 'unknown';
  const details = isBrokenOff(response) ? objectAt(response, 'incomplete_details') : null;
  const events = responseEvents(model, arrayAt(there, 'output'), exchange.usage, details);
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
  const toText = (text: string) => (transport === 'websocket' ? toEvent(text) : text);
  return {
    contentType: transport === 'json' ? 'application/json' : 'text/event-stream',
    parts: events.map(({ atMs, text }) => ({ atMs: atMs - startedMs, text: toText(text) })),
  };
}

function toEvent(message: string): string {
  const lines = message.split(/\r\n|\n|\r/).map(line => `data: ${line}\n`);
  return `event: ${stringAt(parseJson(message), 'type') ?? 'message'}\n${lines.join('')}\n`;
}
