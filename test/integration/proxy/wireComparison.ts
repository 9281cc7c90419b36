import { expect } from 'vitest';
import type { TraceStore } from '../../../server/traces/store.ts';
import { decodeContent } from '../../../server/traces/wire/contentCoding.ts';
import type { SeenRequest } from '../../fakes/upstream.ts';

/** What a server that agents talk to has to note of each call of a model, in the order in which they came. */
type ServedCall = Pick<SeenRequest, 'raw' | 'headers' | 'replied'>;

/** Expects that a session's exchanges can be written out as the upstream received and sent them, byte for byte. */
export function expectSameWire(store: TraceStore, sessionId: string, calls: readonly ServedCall[]): void {
  const exchanges = store.exchangesOfSession(sessionId);
  expect(exchanges.length).toBe(calls.length);
  exchanges.forEach((exchange, index) => {
    const { raw, headers, replied } = calls[index] as ServedCall;
    const wire = store.wireText(exchange.id);
    const sent = decodeContent(raw, headers['content-encoding'] ?? null).toString('utf8');
    expect(wire).toMatchObject({ requestExact: true, omitted: null });
    expect(wire?.request).toBe(sent);
    expect(wire?.events.map(event => event.text)).toEqual(replied);
    expect(wire?.body.equals(Buffer.from(replied.join('')))).toBe(true);
    const times = wire?.events.map(event => event.atMs) ?? [];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeLessThanOrEqual(Date.parse(exchange.startedAt) + (exchange.durationMs ?? 0));
  });
}
