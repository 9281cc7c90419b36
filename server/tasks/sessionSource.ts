import { realpath } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import type { SessionSummary } from '../../protocol/sessions.ts';
import { repositoryAt } from '../git/repository.ts';
import { type CleanSession, toCleanSession } from '../traces/export.ts';
import type { Recorder } from '../traces/recorder.ts';
import type { TraceStore } from '../traces/store.ts';

/** The recorded sessions, as capturing needs them. */
export interface SessionSource {
  /**
   * Sessions of people that were active at or after `sinceMs` (epoch) and are known to have worked in the repository
   * at `root`, newest first.
   */
  since(sinceMs: number, root: string): Promise<readonly SessionSummary[]>;
  isRecorded(sessionId: string): Promise<boolean>;
  /** @throws CoachError `session.missing` */
  clean(sessionId: string): Promise<CleanSession>;
}

/** Sessions of the trace store, with what the recorder still holds. */
export function sessionSource(recorder: Pick<Recorder, 'flush'>, traces: TraceStore): SessionSource {
  return {
    async since(sinceMs, root) {
      await recorder.flush();
      const here: SessionSummary[] = [];
      for (const session of traces.personalSessionsSince(sinceMs)) {
        if (await isWithin(root, session.repository)) here.push(session);
      }
      return here.toReversed();
    },
    async isRecorded(sessionId) {
      await recorder.flush();
      return traces.session(sessionId) !== null;
    },
    async clean(sessionId) {
      await recorder.flush();
      return toCleanSession(traces, sessionId);
    },
  };
}

/** Whether an agent's working directory belongs to the repository at `root`, and to none nested in it. */
async function isWithin(root: string, directory: string | null): Promise<boolean> {
  if (directory === null || !isAbsolute(directory)) return false;
  const [top, place] = await Promise.all([root, directory].map(path => realpath(path).catch(() => null)));
  if (!top || !place) return false;
  const way = relative(top, place);
  if (isAbsolute(way) || way.split(/[/\\]/)[0] === '..') return false;
  return repositoryAt(place).then(
    repository => repository.root === top,
    () => false,
  );
}
