import { setImmediate } from 'node:timers/promises';
import { CoachError } from '../../../protocol/errors.ts';
import type { Exchange } from '../../../protocol/sessions.ts';
import { type CodexSessionFile, CodexSessionFiles } from '../codexFiles/codexSessionFiles.ts';
import { searchCodexFiles } from '../codexFiles/searchCodexFiles.ts';
import { type ExportRequest, exportSession } from '../exports/exportSession.ts';
import { Redactor } from '../redaction/redaction.ts';
import { exchangeEvents, offWire } from '../sessions/exchangeEvents.ts';
import { missing } from '../sessions/missing.ts';
import { recordedExchanges } from '../sessions/recordedExchanges.ts';
import { toRequestChanges } from '../sessions/requestChanges.ts';
import { wholeSession } from '../sessions/sessionReader.ts';
import { TraceStore, type WholeExchange } from '../store.ts';
import { LastSession, noLine, readerOf } from './lastSession.ts';
import { openingOf } from './opening.ts';
import type { ReadingOptions } from './readingOptions.ts';

/** Everything that reads more than a few rows, by name. Parameters and results cross a thread: plain values only. */
export type Readings = ReturnType<typeof openReadings>['readings'];

/**
 * Opens what readings read, with its own connection to the database.
 * @throws CoachError `schema.newer`, `disk.readOnly`
 */
export function openReadings({ tracesDb, codexDirectories, secrets = [] }: ReadingOptions) {
  const store = new TraceStore(tracesDb);
  const redactor = new Redactor();
  for (const secret of secrets) redactor.hide(secret);
  const files = new CodexSessionFiles(codexDirectories, redactor, { leftOut: () => store.deletedReplays() });
  const last = new LastSession(store, files);
  const readings = {
    show: async ({ sessionId }: { sessionId: string }) => {
      return wholeSession(await readerOf(store, files, sessionId), sessionId);
    },
    exchanges: async ({ sessionId }: { sessionId: string }) => {
      // Rows alone, long before what was said in them is put together.
      const rows = recordedExchanges(store, sessionId);
      if (rows !== null) return rows;
      const { session, exchanges } = await last.read(sessionId);
      return { session, exchanges: [...exchanges] };
    },
    opening: ({ sessionId }: { sessionId: string }) => openingOf(store, files, sessionId),
    outline: async ({ sessionId }: { sessionId: string }) => ({
      rows: [...(await last.read(sessionId)).lines.outline],
    }),
    lines: async ({ sessionId, from, limit }: { sessionId: string; from: number; limit: number }) => ({
      lines: (await last.read(sessionId)).lines.page(from, limit),
    }),
    text: async ({ sessionId, line, whole }: { sessionId: string; line: number; whole: boolean }) => {
      const found = (await last.read(sessionId)).lines.text(line, whole);
      if (found === null) throw noLine(line);
      return found;
    },
    find: async ({ sessionId, text }: { sessionId: string; text: string }) => ({
      lines: (await last.read(sessionId)).lines.find(text),
    }),
    summary: async ({ sessionId }: { sessionId: string }) => (await last.read(sessionId)).report(),
    events: async ({ id, number }: { id: string; number?: number | undefined }) =>
      store.snapshot(() => exchangeEvents(store, id, number)),
    search: async ({ words, limit }: { words: readonly string[]; limit: number }, signal: AbortSignal) => {
      const asked = words.join(' ');
      const hits = await inSteps(store.searchInSteps(asked, limit), signal);
      const more = await searchCodexFiles({ store, files, words: asked, limit: limit - hits.length }, signal);
      return { hits: [...hits, ...more] };
    },
    changes: async ({ exchangeId }: { exchangeId: string }) => {
      const [previous, whole] = store.snapshot(() => {
        const asked = requireExchange(store, exchangeId);
        return [previousOf(store, asked.exchange), asked] as const;
      });
      return toRequestChanges(previous, whole);
    },
    export: async (request: ExportRequest, signal: AbortSignal) =>
      exportSession(await readerOf(store, files, request.sessionId), request, signal),
    codexSummary: (file: CodexSessionFile) => files.summary(file),
  };
  return {
    readings,
    hide: (secret: string) => redactor.hide(secret),
    forget: (secret: string) => redactor.forget(secret),
    close: () => store.dispose(),
  };
}

/** Of a session, its last one. */
function requireExchange(store: TraceStore, exchangeId: string): WholeExchange {
  const whole = store.wholeExchange(exchangeId) ?? lastOf(store, exchangeId);
  if (whole !== null) return whole;
  const otherwise = new CoachError('session.missing', `No recorded exchange ${exchangeId}.`, {
    hint: `The ids of a session’s exchanges are in: codex-coach sessions show <session> --json. ${offWire}`,
  });
  throw missing(exchangeId, otherwise);
}

function lastOf(store: TraceStore, sessionId: string): WholeExchange | null {
  const last = store.exchangesOfSession(sessionId).at(-1);
  return last === undefined ? null : store.wholeExchange(last.id);
}

/** The request before this one in the same format: a session may also ask another model about itself. */
function previousOf(store: TraceStore, exchange: Exchange): WholeExchange | null {
  const all = store.exchangesOfSession(exchange.sessionId);
  const place = all.findIndex(({ id }) => id === exchange.id);
  const previous = all.slice(0, Math.max(0, place)).findLast(({ dialect }) => dialect === exchange.dialect);
  return previous === undefined ? null : store.wholeExchange(previous.id);
}

/** Between its steps, others have their turn, and it can be given up. */
async function inSteps<T>(steps: Generator<void, T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await setImmediate();
    signal.throwIfAborted();
  }
}
