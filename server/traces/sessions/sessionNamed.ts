import { latest, leastOfId } from '../../../protocol/ids.ts';
import { ambiguousId, shownIds } from '../../base/ambiguousId.ts';
import { storageFault } from '../../base/sqlite.ts';
import type { CodexSessionFiles } from '../codexFiles/codexSessionFiles.ts';
import type { TraceStore } from '../store.ts';

/** Ids of Codex are UUIDs: what is as long begins no other one. */
const wholeLength = 36;
const some = 'Some of them';
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
  if (given.length < leastOfId || isRecorded(store, given)) return given;
  if (given === latest) return latestOf(store) ?? given;
  const recorded = store.newest({ idStart: given, limit: shownIds + 1 }).rows;
  const ids = new Set(recorded.map(({ id }) => id));
  if (given.length < wholeLength) {
    for (const { id } of (await files?.list()) ?? []) if (id.startsWith(given)) ids.add(id);
  }
  const [first, ...others] = ids;
  if (others.length > 0) throw ambiguousId('session', given, [...ids], some);
  return first ?? given;
}

/**
 * The id of what is meant where an exchange is asked for: of the exchange, by a beginning too, or of a recorded session as
 * above. What names neither stays as it is.
 * @throws CoachError `input.invalid` when several begin like that
 */
export async function exchangeNamed(
  given: string,
  store: Pick<TraceStore, 'session' | 'newest' | 'exchange' | 'exchangeIds'>,
): Promise<string> {
  if (store.exchange(given) !== null) return given;
  const sessionId = await sessionNamed(given, store);
  if (given.length < leastOfId || isRecorded(store, sessionId)) return sessionId;
  const ids = store.exchangeIds(given, shownIds + 1);
  if (ids.length > 1) throw ambiguousId('exchange', given, ids, some);
  return ids[0] ?? given;
}

/** A replay says nothing new: who tries one again means what it repeats. It is meant where there is nothing else. */
function latestOf(store: Pick<TraceStore, 'newest'>): string | undefined {
  const newest = (withoutReplays: boolean) =>
    store.newest({ limit: looked, withoutReplays }).rows.find(({ purpose }) => purpose === undefined)?.id;
  return newest(true) ?? newest(false);
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
