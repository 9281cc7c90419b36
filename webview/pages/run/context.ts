import type { Artifact, ServerState } from '../../../protocol/pages.ts';
import type { RunModel } from './runModel.ts';

/** What every part of the page draws from. */
export interface RunContext {
  readonly model: RunModel;
  readonly selected: string | null;
  readonly server: ServerState;
  /** Of the selected trial. */
  readonly artifacts: readonly Artifact[];
  /** The end of the log that is shown of the selected trial. */
  readonly tail: { readonly path: string; readonly text: string; readonly sizeBytes: number } | null;
  /** What went wrong last, in words; null after it went away. */
  readonly fault: string | null;
  readonly nowMs: number;
  readonly actions: RunActions;
}

export interface RunActions {
  select(trialId: string): void;
  cancel(): void;
  /** Begins the trials without a verdict again. */
  resume(): void;
  regrade(): void;
  openJudgeSetting(): void;
  openComparison(): void;
  openReport(): void;
  reviewDiff(trialId: string): void;
  openSession(sessionId: string): void;
  openArtifact(trialId: string, path: string): void;
  tail(trialId: string, path: string): void;
  restartServer(): void;
}
