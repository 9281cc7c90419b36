import type { ExecutorInfo } from '../../protocol/agents.ts';
import { CoachError } from '../../protocol/errors.ts';
import { type DockerDeps, dockerExecutor } from './docker/docker.ts';
import type { Executor } from './executor.ts';
import { type LocalDeps, localExecutor } from './local/local.ts';

/** The registry: another executor is one more line here, and passes the shared contract suite. */
export function createExecutors(deps: DockerDeps & LocalDeps): Executors {
  return executorsOf([dockerExecutor(deps), localExecutor(deps)]);
}

export interface Executors {
  readonly all: readonly Executor[];
  /**
   * The executors to try for a choice, in order: `auto` means every one that can work now, Docker first.
   * @throws CoachError `executor.unknown`, or `executor.unavailable` naming what is missing
   */
  choose(id: string): Promise<readonly [Executor, ...Executor[]]>;
}

export function executorsOf(all: readonly Executor[]): Executors {
  return {
    all,
    async choose(id) {
      const known = ['auto', ...all.map(executor => executor.id)];
      if (!known.includes(id)) {
        throw new CoachError('executor.unknown', `No executor ${id}.`, { hint: `Known: ${known.join(', ')}.` });
      }
      const wanted = all.filter(executor => id === 'auto' || executor.id === id);
      const infos: ExecutorInfo[] = await Promise.all(wanted.map(executor => executor.probe()));
      const [first, ...rest] = wanted.filter((_, index) => infos[index]?.available === true);
      if (first !== undefined) return [first, ...rest];
      throw new CoachError('executor.unavailable', infos.map(info => `${info.title}: ${info.detail}`).join(' '));
    },
  };
}
