import type { TaskKind } from '../../protocol/tasks.ts';
import type { OpenedBundle } from '../git/bundle.ts';
import type { ChangedFile, TreeEntry } from '../git/tree.ts';
import type { CreatedTask } from './createdTask.ts';
import type { GivenEnvironment } from './environments/environmentDockerfile.ts';
import type { TestSetup } from './testing/testCommand.ts';

/** A recorded change, split: what agents start from, what they should reach, and what judges them. */
export interface SealedTask {
  readonly created: CreatedTask;
  readonly kind: TaskKind;
  readonly judge: Judge;
  /** What the sandbox must hold. */
  readonly setup: Pick<TestSetup, 'baseImage' | 'packages' | 'dependencies'>;
  /** The environment that the user named, with the files that it copies; null for one of ours. */
  readonly given: { readonly environment: GivenEnvironment; readonly context: readonly TreeEntry[] } | null;
  readonly store: OpenedBundle;
  /** Start tree without `.coach/`. */
  readonly startTree: string;
  /**
   * Every test file as it is after the change; those that the change did not touch guard what worked before. None where
   * hidden tests don't judge.
   */
  readonly tests: readonly TreeEntry[];
  /** The change without its hidden tests. */
  readonly solutionPatch: Buffer;
  readonly files: readonly ChangedFile[];
  /** What decides on the installed dependencies, as it is after the change. */
  readonly dependencyFiles: ReadonlyMap<string, Buffer>;
}

/** What decides about a solution, with what that needs. */
export type Judge =
  | { readonly verifier: 'tests'; readonly setup: TestSetup }
  | { readonly verifier: 'mutation'; readonly mutate: readonly string[] }
  | { readonly verifier: 'rubric' };
