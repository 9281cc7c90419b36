import { CoachError } from '../../../protocol/errors.ts';
import type { RepositoryFiles, TestSetup } from '../testing/testCommand.ts';
import { detectGo } from './environmentGo.ts';
import { detectJava } from './environmentJava.ts';
import { detectNode } from './environmentNode.ts';
import { detectPython } from './environmentPython.ts';
import { detectRust } from './environmentRust.ts';

const detectors = [detectNode, detectGo, detectRust, detectJava, detectPython] as const;

/**
 * Finds out from a repository's files how its tests run, and what that needs. The command names each test file, or each
 * package, so that a file which an agent adds is never run by the verifier.
 * @throws CoachError `task.invalid` with what to do when the tests can't be run here
 */
export async function detectTestSetup(files: RepositoryFiles): Promise<TestSetup> {
  let reason: CoachError | null = null;
  for (const detect of detectors) {
    try {
      const setup = await detect(files);
      if (setup !== null) return setup;
    } catch (error) {
      reason ??= CoachError.from(error);
    }
  }
  throw (
    reason ??
    new CoachError('task.invalid', "The tests can't be run as a task: no runner was found for them.", {
      hint: 'Known are node:test, vitest, jest and mocha (package.json), pytest and unittest, go test (go.mod), cargo test (Cargo.toml) and JUnit by Maven (pom.xml).',
    })
  );
}
