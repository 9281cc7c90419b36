import { CoachError } from '../../protocol/errors.ts';
import type { Sandbox } from '../executors/executor.ts';
import type { PreparedTask } from '../tasks/preparedTask.ts';
import { applyIn } from './sandboxes.ts';

/** Below the working directory: where the files of other places stand in a change, each at its path. */
export const heldDirectory = 'outside-workdir';

type Placed = Pick<PreparedTask, 'workdir' | 'outside'>;

/**
 * Brings what a task declares of other places, such as /logs/artifacts, into the working directory of an agent's sandbox, so
 * that it is part of the change that is taken out of it. What can't be read there is left out.
 */
export async function gatherOutside(
  sandbox: Sandbox,
  { workdir, outside = [] }: Placed,
  signal: AbortSignal,
): Promise<void> {
  if (outside.length === 0) return;
  const script =
    'held=$1; shift; rm -rf "$held"; for place do { [ -e "$place" ] || [ -L "$place" ]; } && mkdir -p "$held$(dirname "$place")" && cp -RP "$place" "$held$place"; done';
  const argv = ['sh', '-c', script, 'sh', `${workdir}/${heldDirectory}`, ...outside] as const;
  await sandbox.exec({ argv: [...argv], cwd: '/', env: {} }, signal);
}

/**
 * Puts a whole change in place in a fresh sandbox at the start commit: the working directory, and what was brought there from
 * the places that the task declares. Anything else below `heldDirectory` is dropped.
 * @throws CoachError `sandbox.failed` when it does not apply
 */
export async function applyChange(
  sandbox: Sandbox,
  task: Placed,
  change: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  await applyIn(sandbox, task.workdir, change, signal);
  if (change.length > 0) await placeOutside(sandbox, task, signal);
}

/** Moves what stands in the directory of the first argument to the places of the others. */
const placing =
  'held=$1; shift; failed=0; for place do if [ -e "$held$place" ] || [ -L "$held$place" ]; then mkdir -p "$(dirname "$place")" && rm -rf "$place" && cp -RP "$held$place" "$place" || failed=1; fi; done; rm -rf "$held"; exit $failed';

/** Arguments of `sh` that move what stands in `heldDirectory` to where it was; none where a task declares no other place. */
export function placingArguments({ workdir, outside = [] }: Placed): readonly string[] {
  return outside.length === 0 ? [] : ['-c', placing, 'sh', `${workdir}/${heldDirectory}`, ...outside];
}

/** Moves what stands in `heldDirectory` to where it was. @throws CoachError `sandbox.failed` */
export async function placeOutside(sandbox: Sandbox, task: Placed, signal: AbortSignal): Promise<void> {
  const words = placingArguments(task);
  if (words.length === 0) return;
  const { exitCode, stderr } = await sandbox.exec({ argv: ['sh', ...words], cwd: '/', env: {} }, signal);
  if (exitCode === 0) return;
  throw new CoachError('sandbox.failed', `Artifacts can't be put in place: ${stderr.toString().trim()}`, {
    hint: 'In sandboxes only the working directory, /logs, /tests, /solution and /tmp can be written to.',
  });
}
