import { CoachError } from '../../protocol/errors.ts';
import type { PreparedTask } from './preparedTask.ts';

/** The reference solution. @throws CoachError `task.unproven` while it has not been worked out, `task.invalid` where there is none */
export function requireReference({ name, solutionPatch, solve }: PreparedTask): Buffer {
  if (solutionPatch !== null) return solutionPatch;
  if (solve === null) {
    throw new CoachError('task.invalid', `${name} came without a reference solution.`, {
      hint: 'It can be run with --unproven, but nothing shows that it can be solved.',
    });
  }
  throw new CoachError('task.unproven', `The reference solution of ${name} is a script that has not been run yet.`, {
    hint: `Run: codex-coach task validate ${name}`,
  });
}
