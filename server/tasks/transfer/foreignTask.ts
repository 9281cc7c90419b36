import { CoachError } from '../../../protocol/errors.ts';
import type { TransferFormat } from '../../../protocol/tasks.ts';
import type { FileNode } from './directoryTree.ts';

/** Where the build context holds a start that is a commit of the user's repository. */
export const commitBundle = 'start.bundle';

/** A task of another program in the words of ours; pure, read from its files. */
export interface ForeignTask {
  readonly format: TransferFormat;
  /** What the other program calls it. */
  readonly name: string;
  readonly title: string;
  readonly tags: readonly string[];
  /** Empty when the task has none. */
  readonly instruction: string;
  /** Base image that must be had, and the Dockerfile that stands on it. */
  readonly baseImage: string;
  readonly dockerfile: string;
  /** Build context besides the Dockerfile. */
  readonly context: readonly FileNode[];
  /** Absolute path of the directory in the sandbox in which agents work. */
  readonly workdir: string;
  /** What that directory holds at the start, as far as the files of the task tell; or a commit of the user's repository. */
  readonly start: readonly FileNode[] | { readonly commit: string };
  /** What goes to /tests in the verifier's sandbox. */
  readonly tests: readonly FileNode[];
  readonly verifier: {
    readonly command: string;
    readonly env: Readonly<Record<string, string>>;
    readonly timeoutSec: number;
  };
  readonly agentTimeoutSec: number | null;
  /** What goes to /solution where the reference is worked out; empty when there is none. */
  readonly solution: readonly FileNode[];
  readonly solveCommand: string | null;
  /** The reference as a patch, where the format has one. */
  readonly solutionPatch: Buffer | null;
  /** The parts that are worked on one after the other; absent for a task of one. */
  readonly steps?: { readonly rewards: 'mean' | 'final'; readonly each: readonly ForeignStep[] };
  /** The verifier's own environment; absent where it has the agent's. */
  readonly verifierEnvironment?: ForeignEnvironment;
  /** Absolute paths of what agents leave besides, and of all that such a verifier is given; absent where there are none. */
  readonly artifacts?: readonly string[];
  readonly rubrics: readonly { readonly id: string; readonly criterion: string; readonly weight: number }[];
  /** Why it can't be run here although it was understood; empty when it can. */
  readonly cannotRun: readonly string[];
  /** What differs here from its own program, in one sentence each. */
  readonly notes: readonly string[];
}

export interface ForeignStep {
  readonly name: string;
  readonly instruction: string;
  /** What goes to /tests, with what all steps share. */
  readonly tests: readonly FileNode[];
  readonly verifierEnv: Readonly<Record<string, string>>;
  readonly verifierTimeoutSec: number;
  readonly solution: readonly FileNode[];
  readonly solveCommand: string | null;
  /** The verifier's own environment in this step; `agent` for the agent's, null for that of the task. */
  readonly verifierEnvironment: ForeignEnvironment | 'agent' | null;
  /** Beside those of the task. */
  readonly artifacts: readonly string[];
  /** What is put into the working directory before the step. */
  readonly workdirFiles: readonly FileNode[];
  readonly minRewards: Readonly<Record<string, number>>;
}

export interface ForeignEnvironment {
  readonly baseImage: string;
  readonly dockerfile: string;
  readonly context: readonly FileNode[];
  /** Where the verifier's command runs. */
  readonly workdir: string;
}

/** Gathers what a task asks for and we do not have, so that all of it is named at once. */
export class Unsupported {
  readonly #found: string[] = [];

  /** @param place where it stands, such as `task.toml [environment] gpus` */
  add(place: string, what: string): void {
    this.#found.push(`${place}: ${what}`);
  }

  /** @throws CoachError `task.unsupported` naming everything that was added */
  refuse(path: string): void {
    if (this.#found.length === 0) return;
    throw new CoachError(
      'task.unsupported',
      `${path} asks for what sandboxes here do not have. ${this.#found.join('; ')}.`,
      {
        hint: 'Nothing was imported. Remove it from the task where the task also makes sense without it, or run it with its own program.',
      },
    );
  }
}
