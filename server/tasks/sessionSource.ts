import { realpath } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import type { SessionSummary } from '../../protocol/sessions.ts';
import { repositoryAt } from '../git/repository.ts';
import type { CodexSessionFiles } from '../traces/codexFiles/codexSessionFiles.ts';
import { type CleanSession, toCleanSession } from '../traces/exports/export.ts';
import type { Recorder } from '../traces/recorder/recorder.ts';
import { startCommitIn } from '../traces/sessions/conversationId.ts';
import { sessionNamed } from '../traces/sessions/sessionNamed.ts';
import type { TraceStore } from '../traces/store.ts';

/** The recorded sessions, as capturing needs them. A session's id may be an unambiguous beginning of it. */
export interface SessionSource {
  /**
   * Sessions of people that were active at or after `sinceMs` (epoch) and are known to have worked in the repository
   * at `root`, newest first.
   */
  since(sinceMs: number, root: string): Promise<readonly SessionSummary[]>;
  isRecorded(sessionId: string): Promise<boolean>;
  /** @throws CoachError `session.missing` */
  clean(sessionId: string): Promise<CleanSession>;
  /** The commit that the agent's program wrote down when the session started; null where it wrote none. */
  startCommit(sessionId: string): Promise<string | null>;
}

/** Exchanges in which an agent's program may name the commit: the first may only warm up a connection. */
const maxAsked = 3;

/** Sessions of the trace store, with what the recorder still holds, and those that Codex keeps itself. */
export function sessionSource(
  recorder: Pick<Recorder, 'flush'>,
  traces: TraceStore,
  files: Pick<CodexSessionFiles, 'list' | 'load' | 'startCommit'>,
): SessionSource {
  const stored = async (given: string) => {
    await recorder.flush();
    return sessionNamed(given, traces, files);
  };
  return {
    async since(sinceMs, root) {
      await recorder.flush();
      const here: SessionSummary[] = [];
      for (const session of traces.personalSessionsSince(sinceMs)) {
        if (await isWithin(root, session.repository)) here.push(session);
      }
      return here.toReversed();
    },
    async isRecorded(given) {
      const sessionId = await stored(given);
      return traces.session(sessionId) !== null || (await files.load(sessionId)) !== null;
    },
    async clean(given) {
      const sessionId = await stored(given);
      const reader = traces.session(sessionId) === null ? await files.load(sessionId) : null;
      return toCleanSession(reader ?? traces, sessionId);
    },
    async startCommit(given) {
      const sessionId = await stored(given);
      let asked = 0;
      for (const { request } of traces.wholeExchanges(sessionId)) {
        const commit = startCommitIn(request);
        if (commit !== null) return commit;
        if (++asked === maxAsked) break;
      }
      return files.startCommit(sessionId);
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
