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
      requireLastingTmp(task, executor);
      const environment = await executor.prepare(toSpec(task), log, signal);
      const verifiers = new Map<string, PreparedEnvironment>();
      for (const spec of verifierSpecs(task)) verifiers.set(spec.directory, await executor.prepare(spec, log, signal));
      built.set(task.name, verifiers.size === 0 ? environment : { ...environment, verifiers });
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

/** The environments that verifiers of a task, or of its steps, have of their own. */
function verifierSpecs(task: PreparedTask): EnvironmentSpec[] {
  const parts = [task, ...(task.steps?.each ?? []).map(step => step.task)];
  const specs = new Map<string, EnvironmentSpec>();
  for (const { name, verifier, workdir } of parts) {
    if (verifier.kind !== 'script' || verifier.own === undefined) continue;
    const { directory, bundle, baseImage } = verifier.own;
    const taskName = `${name}-verifier${specs.size === 0 ? '' : specs.size + 1}`;
    if (!specs.has(directory)) specs.set(directory, { taskName, directory, bundle, baseImage, workdir });
  }
  return [...specs.values()];
}

/** @throws CoachError `executor.unavailable` where what an agent leaves in /tmp would be gone before it is taken out */
function requireLastingTmp(task: PreparedTask, executor: Executor): void {
  const parts = [task, ...(task.steps?.each ?? []).map(step => step.task)];
  const inTmp = parts.flatMap(({ outside = [] }) => outside).find(place => place.startsWith('/tmp/'));
  if (executor.tmpEndsWithCommand !== true || inTmp === undefined) return;
  throw new CoachError(
    'executor.unavailable',
    `${task.name} is judged by ${inTmp}, and sandboxes of ${executor.title} keep nothing in /tmp.`,
    { hint: 'Run it with --executor docker.' },
  );
}
