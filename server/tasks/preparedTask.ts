import type { TaskKind, TaskProof } from '../../protocol/tasks.ts';
import type { Mutant } from './mutation/mutant.ts';
import type { Rubric } from './rubric.ts';
import type { ReportFormat } from './testing/reportFormat.ts';

/** A prepared task as the bench needs it, loaded and checked from its directory. */
export interface PreparedTask {
  /** Directory name under `.coach/tasks/prepared/`. */
  readonly name: string;
  readonly directory: string;
  readonly title: string;
  readonly kind: TaskKind;
  readonly instruction: string;
  /** Git bundle with exactly one commit: the start tree, without `.coach/`, tests held back, or any future. */
  readonly bundle: string;
  /** Directory with Dockerfile and build context; the bundle lies in it. */
  readonly environment: string;
  /** Base image that the Dockerfile names, such as `node:24-bookworm-slim`. */
  readonly baseImage: string;
  /** Where the repository lies in the sandbox, absolute: `/app`. */
  readonly workdir: string;
  /**
   * Every test file as it is after the change, relative to the repository root, with the directory (`tests/files`) that
   * holds them: those that the change brought (`changed`), and those that were there and guard what worked.
   */
  readonly tests: { readonly root: string; readonly paths: readonly string[]; readonly changed: readonly string[] };
  /**
   * Reference solution as a git patch against the start tree, without the hidden tests. Bytes: not all text is UTF-8.
   * Null where there is none, or where the script that makes it has not been run yet (`task validate` does).
   */
  readonly solutionPatch: Buffer | null;
  /** How that patch is worked out; null when it came with the task. */
  readonly solve: { readonly root: string; readonly command: string } | null;
  readonly verifier: TestVerifier | ScriptVerifier | MutationVerifier | RubricVerifier;
  /** Criteria and weights of the score; null where the verifier alone decides. */
  readonly rubric: Rubric | null;
  readonly agentTimeoutSec: number | null;
  readonly proof: TaskProof | null;
  /** Absolute paths outside of `workdir` whose files belong to a change, too; absent where there are none. */
  readonly outside?: readonly string[];
  /** The parts that agents work on one after the other; absent for a task of one part. */
  readonly steps?: TaskSteps;
}

export interface TaskSteps {
  /** What the trial's reward is: the mean over the steps that were reached, or the last one's. */
  readonly strategy: 'mean' | 'final';
  readonly each: readonly [TaskStep, ...TaskStep[]];
}

export interface TaskStep {
  readonly name: string;
  /** Smallest rewards, by their names, with which the next step is begun. */
  readonly minRewards: Readonly<Record<string, number>>;
  /** Directory with what is put into the working directory before the step; `setup.sh` in it is run there. */
  readonly workdirFiles: string | null;
  /** The task as it is in this step. Its reference solution holds that of the steps before, too. */
  readonly task: PreparedTask;
}

/** Runs tests and judges by which of them passed. */
export interface TestVerifier {
  readonly kind: 'tests';
  /** Command that runs the tests in `workdir` and leaves results at `resultFile`. */
  readonly command: string;
  readonly resultFormat: ReportFormat;
  /** Absolute path in the sandbox, outside `workdir`. */
  readonly resultFile: string;
  readonly timeoutSec: number;
  readonly failToPass: readonly string[];
  readonly passToPass: readonly string[];
  /** Those of `failToPass` that must fail when their expectations are made wrong. */
  readonly mustFail: readonly string[];
  /** Whether the command ends with exit code 0 when all tests pass; false when that is not known. */
  readonly exitsCleanly: boolean;
}

/** Runs a script of the task that writes the reward itself, to `reward.json` or `reward.txt` in /logs/verifier. */
export interface ScriptVerifier {
  readonly kind: 'script';
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutSec: number;
  /** Whether tests are no part of a solution, so that changes to them, and to what a test runner obeys, are dropped. */
  readonly restoresTests: boolean;
  /** Tests of its CTRF report that must fail when their expectations are made wrong; none where that is not known. */
  readonly mustFail: readonly string[];
  /** An environment of its own; absent where the script runs in the agent's. */
  readonly own?: VerifierEnvironment;
}

/** It gets none of the change but `artifacts`: absolute paths of files and directories. */
export interface VerifierEnvironment {
  /** Directory with Dockerfile and build context. */
  readonly directory: string;
  readonly bundle: string;
  readonly baseImage: string;
  /** Where the command runs. */
  readonly workdir: string;
  readonly artifacts: readonly string[];
}

/** Runs the tests that an agent wrote on the code and on mutants of it: on the code they must pass, on mutants fail. */
export interface MutationVerifier {
  readonly kind: 'mutation';
  readonly timeoutSec: number;
  /** Share of the mutants that must be found, in (0,1]. */
  readonly threshold: number;
  /** Source files that are mutated, by their paths in the repository. */
  readonly sources: readonly string[];
  /** Mutants that the reference's tests find and those of the start don't; none before `task validate`. */
  readonly mutants: readonly Mutant[];
}

/** Runs nothing: the task's rubric alone decides. */
export interface RubricVerifier {
  readonly kind: 'rubric';
}
