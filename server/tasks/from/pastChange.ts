import type { TaskSource } from '../../../protocol/tasks.ts';
import type { Repository } from '../../git/repository.ts';
import type { GitStore } from '../../git/store.ts';
import type { CleanSession } from '../../traces/exports/export.ts';
import type { SessionSource } from '../sessionSource.ts';
import type { Words } from './commitMessage.ts';

/** A change that happened before anyone recorded it, worked out from what was left of it. */
export interface PastChange {
  readonly source: TaskSource;
  /** Trees in the store, without `.coach/`. */
  readonly startTree: string;
  readonly endTree: string;
  readonly startCommit: string;
  readonly endCommit: string;
  /** Oldest first. */
  readonly commits: readonly string[];
  /** What its author said of it. */
  readonly words: Words;
  readonly session: CleanSession | null;
  /** What was taken for granted, one sentence each. */
  readonly notes: readonly string[];
}

/** Where to look for it. */
export interface Past {
  readonly repository: Repository;
  /** Reads the repository's objects. */
  readonly store: GitStore;
  readonly sessions: SessionSource;
}
