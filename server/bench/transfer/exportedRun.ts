import type { RunSummary, TrialSummary } from '../../../protocol/runs.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';

/** A run that is to be written for another program. */
export interface ExportedRun {
  readonly run: RunSummary;
  /** Those that are over. */
  readonly trials: readonly TrialSummary[];
  /** A task of the run, or null where it is not there any more. */
  taskOf(trial: TrialSummary): Promise<PreparedTask | null>;
}
