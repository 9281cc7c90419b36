import { withObjectsOf } from '../../git/history.ts';
import { repositoryAt } from '../../git/repository.ts';
import type { GitStore } from '../../git/store.ts';
import type { PastChange } from '../../tasks/from/pastChange.ts';
import { changeOfSession } from '../../tasks/from/session.ts';
import type { SessionSource } from '../../tasks/sessionSource.ts';

/**
 * Calls `work` with the trees before and after a recorded session, worked out anew from the repository.
 * @throws CoachError `session.missing`; `input.invalid` where its start or end is not known
 */
export async function withSessionChange<T>(
  where: { readonly repository: string; readonly sessionId: string },
  sessions: SessionSource,
  work: (store: GitStore, change: PastChange) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const repository = await repositoryAt(where.repository, signal);
  return withObjectsOf(
    repository,
    async store => work(store, await changeOfSession(where.sessionId, {}, { repository, store, sessions }, signal)),
    signal,
  );
}
