import type { SessionSummary } from '../../../protocol/sessions.ts';
import type { CodexSessionFile, CodexSessionFiles } from '../codexFiles/codexSessionFiles.ts';
import type { TraceStore } from '../store.ts';
import { isRecorded } from './sessionNamed.ts';
import { parseCursor, type SessionFilter, type SessionPage } from './sessionPages.ts';

interface Entry {
  readonly atMs: number;
  readonly summary: SessionSummary;
}

export interface ListedSessions {
  readonly rows: SessionSummary[];
  readonly next: string | null;
  /** Where nothing matches: what there is to be asked for. */
  readonly known?: Known;
}

interface Known {
  readonly agents: string[];
  readonly models: string[];
}

/** Of Codex's own files, so many of the newest are asked for the names of their models. */
const askedFiles = 20;

/**
 * Recorded sessions and those that only Codex's own files know, as one list, newest activity first. A thread that was
 * recorded stands there once, as recorded.
 */
export async function listSessions(
  store: TraceStore,
  files: CodexSessionFiles,
  page: SessionPage,
): Promise<ListedSessions> {
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
    ...(rows.length === 0 && isNarrowed(page) && { known: await knownNames(store, files) }),
  };
}

/** Who asks for a page behind the last one has had an answer. */
function isNarrowed({ limit: _, before, ...filter }: SessionPage): boolean {
  return before === undefined && Object.values(filter).some(value => value !== undefined);
}

async function knownNames(store: TraceStore, files: CodexSessionFiles): Promise<Known> {
  const { agents, models } = store.known();
  const newest = (await files.list()).slice(0, askedFiles);
  const unrecorded = (await Promise.all(newest.map(file => files.summary(file)))).filter(
    ({ exchanges }) => exchanges > 0,
  );
  const sorted = (names: readonly string[]) => [...new Set(names)].sort();
  return {
    agents: sorted([...agents, ...unrecorded.flatMap(({ agent }) => agent ?? [])]),
    models: sorted([...models, ...unrecorded.flatMap(session => session.models)]),
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
