import { CoachError } from '../../../protocol/errors.ts';
import type { Exchange, ExchangeEvents } from '../../../protocol/sessions.ts';
import type { TraceStore } from '../store.ts';
import { missing } from './missing.ts';

/** For who asks for the wire of a session that only Codex wrote down. */
export const offWire = 'What is marked “codex file” in codex-coach sessions list was never on our wire.';

/**
 * One exchange as it went over the wire. `id` names it, or its session: then it is the `number`th of that, from 1, or
 * the last.
 * @throws CoachError `session.missing`, `input.invalid`
 */
export function exchangeEvents(store: TraceStore, id: string, number: number | undefined): ExchangeEvents {
  const exchange = chosenExchange(store, id, number);
  const wire = store.wireText(exchange.id);
  const startedMs = Date.parse(exchange.startedAt);
  return {
    exchange,
    request: wire?.request ?? null,
    requestExact: wire?.requestExact ?? false,
    omitted: wire === null ? 'neverRecorded' : wire.omitted,
    events: wire?.events.map(({ atMs, text }) => ({ atMs: atMs - startedMs, text })) ?? [],
  };
}

function chosenExchange(store: TraceStore, id: string, number: number | undefined): Exchange {
  const named = store.exchange(id);
  if (named !== null) return named;
  if (store.session(id) === null) {
    const text = `No exchange or session ${id} was recorded off the wire.`;
    throw missing(id, new CoachError('session.missing', text, { hint: offWire }));
  }
  const exchanges = store.exchangesOfSession(id);
  const chosen = number === undefined ? exchanges.at(-1) : exchanges[number - 1];
  if (chosen !== undefined) return chosen;
  throw new CoachError('input.invalid', `Session ${id} has ${exchanges.length} exchanges.`, {
    hint: `Give --number from 1 to ${exchanges.length}.`,
  });
}
