import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import { withBundle } from '../../git/bundle.ts';
import { gitText } from '../../git/git.ts';
import { diffTrees, filesOf, treeOf } from '../../git/tree.ts';
import type { PreparedTask } from '../preparedTask.ts';
import { requireReference } from '../reference.ts';
import type { CoachMetadata } from '../taskToml.ts';

/**
 * A task of ours as a row of a SWE-bench dataset: the patch without tests, the tests as a patch on top of it, the ids as
 * JSON text, as on Hugging Face. `base_commit` is the commit that the recording started from.
 * @throws CoachError `input.invalid` while the task has no proof, and so no ids
 */
export async function toSweInstance(
  task: PreparedTask,
  { captured_at, start_commit }: CoachMetadata,
  signal: AbortSignal,
): Promise<object> {
  const { verifier } = task;
  if (verifier.kind !== 'tests' || verifier.failToPass.length === 0) {
    throw new CoachError('input.invalid', `${task.name} has no test ids yet.`, {
      hint: `Run: codex-coach task validate ${task.name}`,
    });
  }
  return {
    repo: `local/${task.name}`,
    instance_id: ownInstanceId(task.name),
    base_commit: start_commit,
    patch: requireReference(task).toString(),
    test_patch: (await testPatch(task, signal)).toString(),
    problem_statement: task.instruction,
    hints_text: '',
    created_at: captured_at,
    version: '1',
    FAIL_TO_PASS: JSON.stringify(verifier.failToPass),
    PASS_TO_PASS: JSON.stringify(verifier.passToPass),
    environment_setup_commit: start_commit,
  };
}

/** `owner__repo-number`, as instances are called. */
export function ownInstanceId(taskName: string): string {
  return `local__${taskName}-1`;
}

/** The hidden tests as a patch against the start. */
function testPatch({ bundle, tests }: PreparedTask, signal: AbortSignal): Promise<Buffer> {
  return withBundle(
    bundle,
    async start => {
      const hidden = new Map<string, string>();
      for (const path of tests.paths) {
        const stdin = await readFile(join(tests.root, path));
        hidden.set(path, await gitText(['hash-object', '-w', '--stdin'], { ...start, stdin }, signal));
      }
      const files = await filesOf(start, start.tree, signal);
      const known = new Map(files.map(file => [file.path, file]));
      const entries = [...hidden].map(([path, blob]) => ({ path, blob, mode: known.get(path)?.mode ?? '100644' }));
      const tree = await treeOf(start, [...files.filter(file => !hidden.has(file.path)), ...entries], signal);
      return (await diffTrees(start, start.tree, tree, signal)).patch;
    },
    signal,
  );
}
