import { CoachError } from '../../../protocol/errors.ts';
import { sinceToEpochMs } from '../../../protocol/since.ts';
import type { CodexSessionFiles } from '../codexFiles/codexSessionFiles.ts';
import type { Recorder } from '../recorder/recorder.ts';
import { isRecorded } from '../sessions/sessionNamed.ts';
import type { TraceStore } from '../store.ts';
import type { PruneSelection } from './retention.ts';

export interface PruneRequest {
  readonly session?: readonly string[] | undefined;
  readonly before?: string | undefined;
  readonly all: boolean;
  /** False only counts what would be deleted. */
  readonly yes: boolean;
}

export interface PruneOutcome {
  readonly sessions: number;
  /** Those of them of which Codex has a file of its own, which stays. */
  readonly codexFiles: number;
  readonly deleted: { readonly exchanges: number; readonly freedBytes: number } | null;
}

export interface PruneDeps {
  readonly store: TraceStore;
  readonly files: Pick<CodexSessionFiles, 'list'>;
  readonly recorder: Pick<Recorder, 'upkeep'>;
}

/** @throws CoachError `input.invalid`, `session.missing`, `internal` when the database could not be written */
export async function pruneSessions(
  { store, files, recorder }: PruneDeps,
  request: PruneRequest,
  nowMs: number,
): Promise<PruneOutcome> {
  const selection = toSelection(request, nowMs);
  if (selection.kind === 'sessions') {
    for (const id of selection.ids) if (!isRecorded(store, id)) store.requireSession(id);
  }
  const codexFiles = await countFiles(store, files, selection);
  if (!request.yes) return { sessions: countSessions(store, selection), codexFiles, deleted: null };
  const { sessions, ...deleted } = (await recorder.upkeep({ kind: 'prune', selection })) ?? unkept();
  return { sessions, codexFiles, deleted };
}

/** Upkeep that came to nothing. */
export function unkept(): never {
  throw new CoachError('internal', 'The trace database could not be written.', {
    hint: 'The reason is in the log: codex-coach /logs',
  });
}

function toSelection({ session, before, all }: PruneRequest, nowMs: number): PruneSelection {
  const given = [session !== undefined, before !== undefined, all].filter(Boolean).length;
  if (given !== 1) {
    throw new CoachError('input.invalid', 'Say which sessions: --session, --before or --all, one of them.', {
      hint: 'Such as: codex-coach sessions prune --before 30d',
    });
  }
  if (session !== undefined) return { kind: 'sessions', ids: session };
  const atMs = before === undefined ? null : sinceToEpochMs(before, nowMs);
  return atMs === null ? { kind: 'all' } : { kind: 'before', atMs };
}

function countSessions(store: TraceStore, selection: PruneSelection): number {
  if (selection.kind === 'sessions') return new Set(selection.ids).size;
  return store.countSessions(selection.kind === 'before' ? selection.atMs : null);
}

/** Of a replay, no such file is shown. */
async function countFiles(store: TraceStore, files: PruneDeps['files'], selection: PruneSelection): Promise<number> {
  const chosen = selection.kind === 'sessions' ? new Set(selection.ids) : null;
  const atMs = selection.kind === 'before' ? selection.atMs : Infinity;
  let count = 0;
  for (const { id } of await files.list()) {
    if (chosen?.has(id) === false || !isRecorded(store, id)) continue;
    const { rows } = store.newest({ idStart: id, withoutReplays: true, limit: 1 });
    if (rows.some(row => row.id === id && Date.parse(row.endedAt) < atMs)) count++;
  }
  return count;
}
