import type { Comparison } from '../../../protocol/comparison.ts';
import type { IntegrityFlag } from '../../../protocol/integrity.ts';
import type { ServerState } from '../../../protocol/pages.ts';
import type { RunSummary } from '../../../protocol/runs.ts';

/** What every part of the page draws from. */
export interface CompareContext {
  readonly comparison: Comparison;
  readonly runs: readonly RunSummary[];
  /** By trial, where there are any. */
  readonly flags: ReadonlyMap<string, readonly IntegrityFlag[]>;
  readonly showsAllTasks: boolean;
  readonly server: ServerState;
  /** What went wrong last, in words; null after it went away. */
  readonly fault: string | null;
  readonly actions: CompareActions;
}

export interface CompareActions {
  openTrial(trialId: string): void;
  chooseRuns(): void;
  showAllTasks(): void;
  restartServer(): void;
}
