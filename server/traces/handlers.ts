import type { Handlers } from '../../protocol/api.ts';
import { CoachError } from '../../protocol/errors.ts';
import { type Exchange, sessions } from '../../protocol/sessions.ts';
import { sinceToEpochMs } from '../../protocol/since.ts';
import type { EventBus } from '../base/bus.ts';
import type { Clock } from '../base/clock.ts';
import type { Disposable } from '../base/disposable.ts';
import type { CodexSessionFiles } from './codexFiles/codexSessionFiles.ts';
import { searchCodexFiles } from './codexFiles/searchCodexFiles.ts';
import { exchangeEvents } from './exchangeEvents.ts';
import { exportSession } from './exportSession.ts';
import { pruneSessions, unkept } from './pruneSessions.ts';
import type { Recorder } from './recorder.ts';
import { toRequestChanges } from './requestChanges.ts';
import { listSessions } from './sessionList.ts';
import type { SessionReader } from './sessionReader.ts';
import { toSessionReport } from './sessionReport.ts';
import type { TraceStore, WholeExchange } from './store.ts';

export interface SessionDeps {
  readonly store: TraceStore;
  readonly files: CodexSessionFiles;
  readonly recorder: Pick<Recorder, 'upkeep'>;
  readonly clock: Clock;
}

export function sessionHandlers({ store, files, recorder, clock }: SessionDeps): Handlers<typeof sessions> {
  /** @throws CoachError `session.missing` */
  const readerOf = async (sessionId: string): Promise<SessionReader> => {
    if (store.session(sessionId) === null) {
      const reader = await files.load(sessionId);
      if (reader !== null) return reader;
    }
    store.requireSession(sessionId);
    return store;
  };
  return {
    list: ({ since, ...page }) =>
      listSessions(store, files, {
        ...page,
        sinceMs: since === undefined ? undefined : (sinceToEpochMs(since, clock.now()) ?? undefined),
      }),
    show: async ({ sessionId }) => {
      const reader = await readerOf(sessionId);
      return {
        session: reader.requireSession(sessionId),
        exchanges: reader.exchangesOfSession(sessionId),
        conversation: reader.conversation(sessionId),
      };
    },
    summary: async ({ sessionId }) => toSessionReport(await readerOf(sessionId), sessionId),
    events: ({ id, number }) => exchangeEvents(store, id, number),
    search: async ({ words, limit }, signal) => {
      const hits = store.search(words.join(' '), limit);
      const more = await searchCodexFiles({ store, files, words, limit: limit - hits.length }, signal);
      return { hits: [...hits, ...more] };
    },
    changes: ({ exchangeId }) => {
      const whole = requireExchange(store, exchangeId);
      return toRequestChanges(previousOf(store, whole.exchange), whole);
    },
    export: async (request, signal) => exportSession(await readerOf(request.sessionId), request, signal),
    latest: ({ after, sessionId }) => {
      const last = store.lastCursor();
      // A cursor beyond the end is of a database that was deleted meanwhile.
      if (after === undefined || after > last) return { rows: [], next: last };
      return store.storedAfter(after, sessionId ?? null);
    },
    today: () => store.spentSince(new Date(clock.now()).setHours(0, 0, 0, 0)),
    prune: request => pruneSessions(store, recorder, request, clock.now()),
    reprice: async () => (await recorder.upkeep({ kind: 'reprice' })) ?? unkept(),
    stats: ({ days, by }) => ({
      rows: store.stats({ by, sinceMs: clock.now() - (days - 1) * 86_400_000 }),
    }),
  };
}

function requireExchange(store: TraceStore, exchangeId: string): WholeExchange {
  const whole = store.wholeExchange(exchangeId);
  if (whole !== null) return whole;
  throw new CoachError('session.missing', `No recorded exchange ${exchangeId}.`, {
    hint: 'The ids of a session’s exchanges are in: codex-coach sessions show <session> --json',
  });
}

/** The request before this one in the same format: a session may also ask another model about itself. */
function previousOf(store: TraceStore, exchange: Exchange): WholeExchange | null {
  const all = store.exchangesOfSession(exchange.sessionId);
  const place = all.findIndex(({ id }) => id === exchange.id);
  const previous = all.slice(0, Math.max(0, place)).findLast(({ dialect }) => dialect === exchange.dialect);
  return previous === undefined ? null : store.wholeExchange(previous.id);
}

/** Tells every connection of each session that has grown. */
export function announceSessions(recorder: Recorder, bus: EventBus): Disposable {
  return recorder.onEvent(event => {
    if (event.kind === 'session') bus.publish(sessions, 'changed', event.session);
  });
}
