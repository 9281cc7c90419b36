import type { Artifact, ServerState } from '../../../protocol/pages.ts';
import type { RunModel } from './runModel.ts';

/** What every part of the page draws from. */
export interface RunContext {
  readonly model: RunModel;
  readonly selected: string | null;
  readonly server: ServerState;
  /** Of the selected trial. */
  readonly artifacts: readonly Artifact[];
  /** What went wrong last, in words; null after it went away. */
  readonly fault: string | null;
  readonly nowMs: number;
  readonly actions: RunActions;
}

export interface RunActions {
  select(trialId: string): void;
  cancel(): void;
  openReport(): void;
  reviewDiff(trialId: string): void;
  openSession(sessionId: string): void;
  openArtifact(trialId: string, path: string): void;
  restartServer(): void;
}
