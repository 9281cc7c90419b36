import { CoachError } from '../../../protocol/errors.ts';
import type { ProofCheck } from '../../../protocol/tasks.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { requireReference } from '../../tasks/reference.ts';
import { loadRubric } from '../../tasks/rubric.ts';
import { applyIn, sandboxLimits, sandboxName } from '../sandboxes.ts';
import type { VerifierDeps } from '../verify.ts';

/**
 * All that can be shown of a task that only a rubric judges, without asking a model: there is a rubric, and the reference
 * solution can be put in place in the sandbox. That says nothing about what a judge will make of it.
 * @throws CoachError `task.invalid`, `task.referenceFails`
 */
export async function proveByRubric(
  trialId: string,
  task: PreparedTask,
  deps: VerifierDeps,
  signal: AbortSignal,
): Promise<ProofCheck[]> {
  const startedAt = performance.now();
  const rubric = await loadRubric(task.directory);
  if (rubric === null || rubric.criteria.length === 0) {
    throw new CoachError('task.invalid', `${task.name} has neither tests nor a rubric, so nothing can judge it.`, {
      hint: 'Give it a rubric.toml with criteria; see docs/task-format.md.',
    });
  }
  const spec = {
    name: sandboxName(trialId, 'verify'),
    labels: { 'coach.trial': trialId },
    ...{ endpoint: null, mounts: [], limits: sandboxLimits() },
  };
  const sandbox = await deps.environment.start(spec, signal);
  try {
    await applyIn(sandbox, task.workdir, requireReference(task), signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw new CoachError('task.referenceFails', `The reference solution of ${task.name} does not apply to its start.`, {
      cause,
      hint: 'Mend solution/solution.patch, or record the task again.',
    });
  } finally {
    deps.onRemoval(sandbox.remove());
  }
  const passed = { reward: null, passed: true };
  return [
    { id: 'rubric', title: 'the rubric', ...passed, detail: `${rubric.criteria.length} criteria`, durationMs: 0 },
    {
      ...{ id: 'applies', title: 'the reference solution', ...passed, detail: 'applies to the start' },
      durationMs: Math.round(performance.now() - startedAt),
    },
  ];
}
