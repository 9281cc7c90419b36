import { CoachError } from '../../protocol/errors.ts';
import type { Log } from '../base/log.ts';
import type { EnvironmentSpec, Executor, PreparedEnvironment } from '../executors/executor.ts';
import type { PreparedTask } from '../tasks/preparedTask.ts';

export interface PreparedEnvironments {
  readonly executor: Executor;
  /** The environment of a task. @throws CoachError why it could not be built */
  of(task: PreparedTask): PreparedEnvironment;
}

/** Faults of the place rather than of a task: the next executor may do better. */
const placeFaults: readonly string[] = ['docker.imageMissing', 'docker.unavailable', 'executor.unavailable'];

/**
 * Builds the environments of all tasks with the first executor that can: all trials of a run must share one, or their
 * numbers could not be compared. A task that can't be built at all fails its own trials only.
 */
export async function prepareEnvironments(
  tasks: readonly PreparedTask[],
  executors: readonly [Executor, ...Executor[]],
  log: Log,
  signal: AbortSignal,
): Promise<PreparedEnvironments> {
  const [executor, next, ...rest] = executors;
  const built = new Map<string, PreparedEnvironment | CoachError>();
  for (const task of tasks) {
    try {
      const environment = await executor.prepare(toSpec(task), log, signal);
      const own = verifierSpec(task);
      const verifier = own === null ? null : await executor.prepare(own, log, signal);
      built.set(task.name, verifier === null ? environment : { ...environment, verifier });
    } catch (error) {
      signal.throwIfAborted();
      const coach = CoachError.from(error);
      if (next !== undefined && placeFaults.includes(coach.code)) {
        log.warn(`${executor.title} can't be used (${coach.message}); going on with ${next.title}.`);
        return prepareEnvironments(tasks, [next, ...rest], log, signal);
      }
      built.set(task.name, coach);
    }
  }
  return {
    executor,
    of(task) {
      const environment = built.get(task.name);
      if (environment === undefined) throw new CoachError('task.missing', `${task.name} is not part of this run.`);
      if (environment instanceof CoachError) throw environment;
      return environment;
    },
  };
}

/** What an executor must know of a task. */
export function toSpec({ name, environment, bundle, baseImage, workdir, proof }: PreparedTask): EnvironmentSpec {
  return { taskName: name, directory: environment, bundle, baseImage, workdir, pin: proof?.base ?? null };
}

function verifierSpec({ name, verifier, workdir }: PreparedTask): EnvironmentSpec | null {
  if (verifier.kind !== 'script' || verifier.own === undefined) return null;
  const { directory, bundle, baseImage } = verifier.own;
  return { taskName: `${name}-verifier`, directory, bundle, baseImage, workdir };
}
