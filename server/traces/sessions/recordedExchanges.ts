import type { Exchange, SessionSummary } from '../../../protocol/sessions.ts';
import type { TraceStore } from '../store.ts';

/** A recorded session with its exchanges as of one moment; null when there is none, or it has more of them than that. */
export function recordedExchanges(
  store: TraceStore,
  sessionId: string,
  most = Infinity,
): { session: SessionSummary; exchanges: Exchange[] } | null {
  return store.snapshot(() => {
    const session = store.session(sessionId);
    if (session === null || session.exchanges > most) return null;
    return { session, exchanges: store.exchangesOfSession(sessionId) };
  });
}
