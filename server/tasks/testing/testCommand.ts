import { CoachError } from '../../../protocol/errors.ts';
import type { ReportFormat } from './reportFormat.ts';

/** How a repository's tests run, found out from its files. */
export interface TestSetup {
  /** Run by a shell in the repository. Leaves a report at `resultFile`. */
  readonly command: string;
  readonly resultFormat: ReportFormat;
  /** Absolute path in the sandbox. */
  readonly resultFile: string;
  readonly baseImage: string;
  /** Debian packages that the tests need besides git. */
  readonly packages: readonly string[];
  readonly dependencies: Dependencies | null;
}

/** What a package manager installs beside the repository, once for all tasks with these files. */
export interface Dependencies {
  readonly manager: 'npm' | 'pip';
  /** Files in the repository that decide what is installed. */
  readonly files: readonly string[];
}

export interface RepositoryFiles {
  readonly paths: readonly string[];
  read(path: string): Promise<Buffer | null>;
}

/** Where the verifier leaves what the tests said, by the name of the file; Harbor's place. */
export function resultAt(name: string): string {
  return `/logs/verifier/${name}`;
}

export function cannotRun(found: string, hint: string): CoachError {
  return new CoachError('task.invalid', `The tests can't be run as a task yet: ${found}.`, { hint });
}

export async function readText(files: RepositoryFiles, path: string): Promise<string | null> {
  return files.paths.includes(path) ? ((await files.read(path))?.toString() ?? null) : null;
}
