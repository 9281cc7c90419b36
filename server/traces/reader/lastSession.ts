import { CoachError } from '../../../protocol/errors.ts';
import type { Exchange, SessionReport, SessionSummary } from '../../../protocol/sessions.ts';
import type { CodexSessionFiles } from '../codexFiles/codexSessionFiles.ts';
import { SessionLines } from '../sessions/sessionLines.ts';
import { type SessionReader, wholeSession } from '../sessions/sessionReader.ts';
import { reportOf } from '../sessions/sessionReport.ts';
import type { TraceStore } from '../store.ts';

export interface ReadSession {
  readonly session: SessionSummary;
  readonly exchanges: readonly Exchange[];
  readonly lines: SessionLines;
  /** Worked out when it is asked for. */
  report(): SessionReport;
}

/**
 * The session that was read last. A page asks for a long one in many parts, and putting its conversation together takes
 * longer than all of them. It is read again once it has grown.
 */
export class LastSession {
  readonly #store: TraceStore;
  readonly #files: CodexSessionFiles;
  #kept: { readonly stamp: string; readonly read: Promise<ReadSession> } | null = null;

  constructor(store: TraceStore, files: CodexSessionFiles) {
    this.#store = store;
    this.#files = files;
  }

  /** @throws CoachError `session.missing` */
  async read(sessionId: string): Promise<ReadSession> {
    const stamp = await this.#stampOf(sessionId);
    if (this.#kept?.stamp === stamp) return this.#kept.read;
    const read = this.#readAnew(sessionId);
    this.#kept = { stamp, read };
    read.catch(() => {
      if (this.#kept?.read === read) this.#kept = null;
    });
    return read;
  }

  /** Tells one state of a session from the next. */
  async #stampOf(sessionId: string): Promise<string> {
    const recorded = this.#store.session(sessionId);
    // With its cost: that of what was said long ago may have been computed again.
    if (recorded !== null) return JSON.stringify(recorded);
    const file = (await this.#files.list()).find(({ id }) => id === sessionId);
    return `${sessionId} ${file?.modifiedMs} ${file?.sizeBytes}`;
  }

  async #readAnew(sessionId: string): Promise<ReadSession> {
    const reader = await readerOf(this.#store, this.#files, sessionId);
    const whole = wholeSession(reader, sessionId);
    const { session, exchanges, conversation } = whole;
    let report: SessionReport | null = null;
    return {
      session,
      exchanges,
      lines: new SessionLines(exchanges, conversation),
      report: () => {
        report ??= reportOf(whole);
        return report;
      },
    };
  }
}

/** @throws CoachError `session.missing` */
export async function readerOf(store: TraceStore, files: CodexSessionFiles, sessionId: string): Promise<SessionReader> {
  if (store.session(sessionId) === null) {
    const reader = await files.load(sessionId);
    if (reader !== null) return reader;
  }
  store.requireSession(sessionId);
  return store;
}

/** @throws CoachError `input.invalid` */
export function noLine(number: number): CoachError {
  return new CoachError('input.invalid', `This session has no line ${number}.`);
}
