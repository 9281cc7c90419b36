import { runs } from '../../../protocol/runs.ts';
import type { EventBus } from '../../base/bus.ts';
import type { Log } from '../../base/log.ts';
import type { RunStore } from './runStore.ts';

export interface JournalDeps {
  readonly store: RunStore;
  readonly bus: EventBus;
  readonly log: Log;
}

/** Writes a line of a run's journal that belongs to none of its trials. */
export function tell({ store, bus }: JournalDeps, runId: string, kind: 'log' | 'end', text: string): void {
  for (const line of store.append(runId, [{ trialId: null, kind, phase: null, text, usage: null }])) {
    bus.publish(runs, 'progress', line);
  }
}

/** The server's log whose messages for people also stand in the run's journal. */
export function journalled(deps: JournalDeps, runId: string): Log {
  const tellAll = (text: string) => tell(deps, runId, 'log', text);
  const wrap = (inner: Log): Log => ({
    debug: (message, fields) => inner.debug(message, fields),
    info(message, fields) {
      inner.info(message, fields);
      tellAll(message);
    },
    warn(message, fields) {
      inner.warn(message, fields);
      tellAll(message);
    },
    error(message, fields) {
      inner.error(message, fields);
      tellAll(message);
    },
    child: fields => wrap(inner.child(fields)),
  });
  return wrap(deps.log.child({ run: runId }));
}
