import type { Handlers } from '../../protocol/api.ts';
import { sessions } from '../../protocol/sessions.ts';
import type { EventBus } from '../base/bus.ts';
import type { Disposable } from '../base/disposable.ts';
import type { Recorder } from './recorder.ts';
import type { TraceStore } from './store.ts';

export function sessionHandlers(store: TraceStore): Handlers<typeof sessions> {
  return {
    list: page => store.newest(page),
    show: ({ sessionId }) => ({
      session: store.requireSession(sessionId),
      exchanges: store.exchangesOfSession(sessionId),
      conversation: store.conversation(sessionId),
    }),
    stats: ({ days }) => ({ rows: store.stats(days) }),
  };
}

/** Tells every connection of each session that has grown. */
export function announceSessions(recorder: Recorder, bus: EventBus): Disposable {
  return recorder.onEvent(event => {
    if (event.kind === 'session') bus.publish(sessions, 'changed', event.session);
  });
}
