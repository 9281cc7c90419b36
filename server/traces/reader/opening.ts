import type { SessionOpening } from '../../../protocol/sessions.ts';
import type { CodexSessionFiles } from '../codexFiles/codexSessionFiles.ts';
import { SessionLines } from '../sessions/sessionLines.ts';
import type { TraceStore } from '../store.ts';

/** More than a window shows. */
const firstExchanges = 30;
const firstLines = 200;

/**
 * How a session begins, without reading all of it: its first exchanges with what was said in them.
 * @throws CoachError `session.missing`
 */
export async function openingOf(
  store: TraceStore,
  files: CodexSessionFiles,
  sessionId: string,
): Promise<SessionOpening> {
  if (store.session(sessionId) === null) {
    const opening = await files.loadOpening(sessionId);
    if (opening !== null) {
      const { reader, isWhole } = opening;
      const exchanges = reader.exchangesOfSession(sessionId);
      const lines = new SessionLines(exchanges, reader.conversation(sessionId));
      return { session: reader.requireSession(sessionId), hasTotals: isWhole, exchanges, ...beginningOf(lines) };
    }
  }
  return store.snapshot(() => {
    const session = store.requireSession(sessionId);
    const exchanges = store.exchangesOfSession(sessionId).slice(0, firstExchanges);
    const lines = new SessionLines(exchanges, store.conversation(sessionId, firstExchanges));
    return { session, hasTotals: true, exchanges, ...beginningOf(lines) };
  });
}

function beginningOf(lines: SessionLines): Pick<SessionOpening, 'rows' | 'lines'> {
  return { rows: [...lines.outline], lines: lines.page(0, firstLines) };
}
