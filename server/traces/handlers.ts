import type { Handlers } from '../../protocol/api.ts';
import { sessions } from '../../protocol/sessions.ts';
import { sinceToEpochMs } from '../../protocol/since.ts';
import type { EventBus } from '../base/bus.ts';
import type { Clock } from '../base/clock.ts';
import type { Disposable } from '../base/disposable.ts';
import type { CodexSessionFiles } from './codexFiles/codexSessionFiles.ts';
import type { Reader } from './reader/reader.ts';
import type { Recorder } from './recorder/recorder.ts';
import { withNamedSessions } from './sessions/namedReader.ts';
import { recordedExchanges } from './sessions/recordedExchanges.ts';
import { listSessions } from './sessions/sessionList.ts';
import { exchangeNamed, sessionNamed } from './sessions/sessionNamed.ts';
import { inWords } from './sessions/unreadable.ts';
import type { TraceStore } from './store.ts';
import { pruneSessions, unkept } from './upkeep/pruneSessions.ts';
import { statsAsked } from './usage/statsAsked.ts';

/** Exchanges that are read within some milliseconds. */
const fewRows = 2000;

export interface SessionDeps {
  readonly store: TraceStore;
  readonly files: CodexSessionFiles;
  /** Whatever takes more than a few rows. */
  readonly reader: Reader;
  readonly recorder: Pick<Recorder, 'upkeep'>;
  readonly clock: Clock;
}

export function sessionHandlers(deps: SessionDeps): Handlers<typeof sessions> {
  const { store, files, recorder, clock } = deps;
  const nameOf = (given: string) => sessionNamed(given, store, files);
  const recorded = (given: string) => sessionNamed(given, store);
  const reader = withNamedSessions(deps.reader, nameOf);
  return {
    list: ({ since, ...page }) =>
      listSessions(store, files, {
        ...page,
        sinceMs: since === undefined ? undefined : (sinceToEpochMs(since, clock.now()) ?? undefined),
      }),
    show: (params, signal) => reader.read('show', params, signal),
    exchanges: async (params, signal) => {
      const sessionId = await nameOf(params.sessionId);
      return fewExchanges(store, sessionId) ?? reader.read('exchanges', { sessionId }, signal);
    },
    opening: (params, signal) => reader.read('opening', params, signal),
    outline: (params, signal) => reader.read('outline', params, signal),
    lines: (params, signal) => reader.read('lines', params, signal),
    text: (params, signal) => reader.read('text', params, signal),
    find: (params, signal) => reader.read('find', params, signal),
    summary: (params, signal) => reader.read('summary', params, signal),
    events: async ({ id, number }, signal) =>
      inWords(id, async () => {
        const named = await exchangeNamed(id, store);
        return reader.read('events', { id: named, number }, signal);
      }),
    search: (params, signal) => reader.read('search', params, signal),
    changes: async ({ exchangeId }, signal) => {
      const named = await exchangeNamed(exchangeId, store);
      return reader.read('changes', { exchangeId: named }, signal);
    },
    export: (params, signal) => reader.read('export', params, signal),
    latest: async ({ after, sessionId }) => {
      const last = store.lastCursor();
      // A cursor beyond the end is of a database that was deleted meanwhile.
      if (after === undefined || after > last) return { rows: [], next: last };
      return store.storedAfter(after, sessionId === undefined ? null : await recorded(sessionId));
    },
    today: () => store.spentSince(new Date(clock.now()).setHours(0, 0, 0, 0)),
    prune: request =>
      inWords('What is to be deleted', async () => {
        const session = request.session && (await Promise.all(request.session.map(recorded)));
        return pruneSessions(deps, { ...request, session }, clock.now());
      }),
    reprice: async () => (await recorder.upkeep({ kind: 'reprice' })) ?? unkept(),
    stats: request => inWords('What sessions add up to', () => statsAsked(store, request, clock.now())),
  };
}

/**
 * Asked for by a page that is being opened: starting the reader's thread takes longer than reading some rows. Null for
 * many, and for what can't be read, of which the reader says why.
 */
function fewExchanges(store: TraceStore, sessionId: string) {
  try {
    return recordedExchanges(store, sessionId, fewRows);
  } catch {
    return null;
  }
}

/** Tells every connection of each session that has grown. */
export function announceSessions(recorder: Recorder, bus: EventBus): Disposable {
  return recorder.onEvent(event => {
    if (event.kind === 'session') bus.publish(sessions, 'changed', event.session);
  });
}
