import type { SessionSummary } from '../../../protocol/sessions.ts';
import type { CodexSessionFile, CodexSessionFiles } from '../codexFiles/codexSessionFiles.ts';
import type { TraceStore } from '../store.ts';
import { isRecorded } from './sessionNamed.ts';
import { parseCursor, type SessionFilter, type SessionPage } from './sessionPages.ts';

interface Entry {
  readonly atMs: number;
  readonly summary: SessionSummary;
}

/**
 * Recorded sessions and those that only Codex's own files know, as one list, newest activity first. A thread that was
 * recorded stands there once, as recorded.
 */
export async function listSessions(
  store: TraceStore,
  files: CodexSessionFiles,
  page: SessionPage,
): Promise<{ rows: SessionSummary[]; next: string | null }> {
  const recorded = store.newest(page);
  const entries = [
    ...recorded.rows.map(summary => ({ atMs: Date.parse(summary.endedAt), summary })),
    ...(await unrecorded(store, files, page)),
  ].sort((a, b) => b.atMs - a.atMs || (a.summary.id < b.summary.id ? 1 : -1));
  const rows = entries.slice(0, page.limit);
  const last = rows.at(-1);
  const more = entries.length > page.limit || recorded.next !== null;
  return {
    rows: rows.map(entry => entry.summary),
    next: more && last !== undefined ? `${last.atMs}~${last.summary.id}` : null,
  };
}

/** One more than the page takes, to know whether another follows. */
async function unrecorded(store: TraceStore, files: CodexSessionFiles, page: SessionPage): Promise<Entry[]> {
  if (page.agent !== undefined && page.agent !== 'codex') return [];
  const [beforeMs, beforeId] = parseCursor(page.before);
  const isOlder = ({ modifiedMs, id }: CodexSessionFile) =>
    modifiedMs < beforeMs || (modifiedMs === beforeMs && id < beforeId);
  const found: Entry[] = [];
  for (const file of await files.list()) {
    if (found.length > page.limit) break;
    if (file.modifiedMs < (page.sinceMs ?? 0)) break;
    if (!isOlder(file) || isRecorded(store, file.id)) continue;
    const summary = await files.summary(file);
    // One in which nothing was answered yet, or that a version before all that we can read has written.
    if (summary.exchanges > 0 && matches(summary, page)) found.push({ atMs: file.modifiedMs, summary });
  }
  return found;
}

function matches(session: SessionSummary, { model, repository, text }: SessionFilter): boolean {
  const place = session.repository ?? '';
  return (
    (model === undefined || session.models.includes(model)) &&
    (repository === undefined || place === repository || place.startsWith(`${repository}/`)) &&
    (text === undefined || session.title.toLowerCase().includes(text.toLowerCase()))
  );
}
