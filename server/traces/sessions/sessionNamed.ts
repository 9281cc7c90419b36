import { CoachError } from '../../../protocol/errors.ts';
import { storageFault } from '../../base/sqlite.ts';
import type { CodexSessionFiles } from '../codexFiles/codexSessionFiles.ts';
import type { TraceStore } from '../store.ts';

/** A shorter beginning may be meant for anything. */
const minLength = 4;
/** Ids of Codex are UUIDs: what is as long begins no other one. */
const wholeLength = 36;
const shownSessions = 5;
/** The word for the recorded session that was active last, where none has it as its id. */
const latest = 'latest';
/** Among so many there is one that is no question of an agent's program to itself. */
const looked = 20;

/**
 * The id of the session that is meant by its id, by a beginning of it that no other session has, or by `latest`. What
 * names none stays as it is, for whoever looks for it. Without `files`, recorded sessions alone are meant.
 * @throws CoachError `input.invalid` when several begin like that
 */
export async function sessionNamed(
  given: string,
  store: Pick<TraceStore, 'session' | 'newest'>,
  files?: Pick<CodexSessionFiles, 'list'>,
): Promise<string> {
  if (given.length < minLength || isRecorded(store, given)) return given;
  if (given === latest) return latestOf(store) ?? given;
  const recorded = store.newest({ idStart: given, limit: shownSessions + 1 }).rows;
  const ids = new Set(recorded.map(({ id }) => id));
  if (given.length < wholeLength) {
    for (const { id } of (await files?.list()) ?? []) if (id.startsWith(given)) ids.add(id);
  }
  const [first, ...others] = ids;
  if (others.length > 0) throw ambiguous(given, [...ids]);
  return first ?? given;
}

function latestOf(store: Pick<TraceStore, 'newest'>): string | undefined {
  return store.newest({ limit: looked }).rows.find(({ purpose }) => purpose === undefined)?.id;
}

/** Also a session of which nothing more can be read is recorded. */
export function isRecorded(store: Pick<TraceStore, 'session'>, sessionId: string): boolean {
  try {
    return store.session(sessionId) !== null;
  } catch (error) {
    if (storageFault(error) !== null) throw error;
    return true;
  }
}

function ambiguous(given: string, ids: readonly string[]): CoachError {
  const some = ids.length > shownSessions ? 'Some of them' : 'They are';
  return new CoachError('input.invalid', `More than one session begins with ${given}.`, {
    hint: `Give more of its id. ${some}: ${ids.slice(0, shownSessions).join(', ')}`,
  });
}
