import type { TaskProof } from '../../protocol/tasks.ts';
import type { ReportFormat } from './reportFormat.ts';

/** A prepared task as the bench needs it, loaded and checked from its directory. */
export interface PreparedTask {
  /** Directory name under `.coach/tasks/prepared/`. */
  readonly name: string;
  readonly directory: string;
  readonly title: string;
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
  readonly verifier: TestVerifier | ScriptVerifier;
  readonly agentTimeoutSec: number | null;
  readonly proof: TaskProof | null;
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
}
