import type Docker from 'dockerode';
import type { ExecutorInfo } from '../../../protocol/agents.ts';
import type { Log } from '../../base/log.ts';
import { type Owner, ownerLives, scratchOwnerLives } from '../../base/owner.ts';
import { installDependencies } from '../dependencies.ts';
import type { Executor } from '../executor.ts';
import { loadNeeds } from '../needs.ts';
import { resolveBaseImage } from './baseImage.ts';
import { adoptContainer, claimLabel, ownerLabel, removeContainer, startContainer } from './container.ts';
import { connectEngine, engineError } from './engine.ts';
import { requirePinned } from './pinnedImage.ts';
import { buildTaskImage } from './taskImage.ts';

export interface DockerDeps {
  /** Address of the engine, as in DOCKER_HOST; empty takes the default socket. */
  readonly host: () => string;
  /** `COACH_HOME/cache/images`. */
  readonly imageCache: string;
  /** `COACH_HOME/cache/dependencies`. */
  readonly dependencyCache: string;
  readonly node: string;
  readonly shim: string;
}

const notIsolated = [
  'The kernel is shared with this machine.',
  'The disk space of the repository, /logs and /tests is measured about once a second; between two measurements only the size of a single file is limited.',
] as const;

const probeTimeoutMs = 5000;
/** How long after its start a container whose server died is left for the next server of the same home. */
const awaitedMs = 3_600_000;

/** Containers of the local Docker engine. The engine itself is asked; no client program is needed. */
export function dockerExecutor(deps: DockerDeps): Executor {
  /** Containers that an absent engine kept us from removing; tried again as soon as an engine is used. */
  const left = new Set<string>();
  let places: { readonly host: string; readonly found: readonly string[] } | null = null;
  const removeLeft = async (docker: Docker) => {
    for (const id of left) {
      await removeContainer(docker.getContainer(id));
      left.delete(id);
    }
  };
  const info = (available: boolean, detail: string): ExecutorInfo => ({
    id: 'docker',
    title: 'Docker',
    available,
    detail,
    notIsolated: [...notIsolated],
  });
  return {
    id: 'docker',
    title: 'Docker',
    notIsolated,
    async probe() {
      let host = deps.host();
      try {
        const engine = connectEngine(host);
        host = engine.host;
        const version = await versionOf(engine.docker);
        if (version.Os !== 'linux')
          return info(false, `The engine at ${host} runs ${version.Os} containers, not Linux.`);
        return info(true, `Docker ${version.Version} at ${host}`);
      } catch (error) {
        const { message, hint } = engineError(error, host);
        return info(false, hint === null ? message : `${message} ${hint}`);
      }
    },
    async diskPlaces() {
      const host = deps.host();
      // Asked once: an engine that tells about itself starts programs to look at them.
      if (places?.host === host) return places.found;
      try {
        const { DockerRootDir } = (await connectEngine(host).docker.info()) as { DockerRootDir?: string };
        places = { host, found: DockerRootDir === undefined ? [] : [DockerRootDir] };
        return places.found;
      } catch {
        return [];
      }
    },
    async prepare(environment, log, signal) {
      const { docker, host } = connectEngine(deps.host());
      try {
        await removeLeft(docker);
        const needs = await loadNeeds(environment.directory);
        const mounts = await installDependencies(environment.directory, needs, deps.dependencyCache, log, signal);
        const images = { docker, cache: deps.imageCache, node: deps.node, packages: needs.packages };
        const base = await resolveBaseImage(environment.baseImage, images, log, signal);
        const pinned = await requirePinned(docker, environment, base);
        const image = await buildTaskImage(environment, base, docker, log, signal);
        const { node, shim } = deps;
        return {
          base: pinned,
          start(given, startSignal) {
            const spec = { ...given, mounts: [...given.mounts, ...mounts] };
            const onLeft = (id: string) => left.add(id);
            return startContainer({ docker, host, image, node, shim, environment, spec, onLeft }, startSignal);
          },
          async discard() {
            // Another one of the same content may use it.
            await docker
              .getImage(image)
              .remove()
              .catch((error: unknown) => log.debug(`The image ${image} stays.`, { error }));
          },
        };
      } catch (error) {
        throw engineError(error, host);
      }
    },
    async adopt(environment, name, signal) {
      const { docker, host } = connectEngine(deps.host());
      try {
        return await adoptContainer({ docker, host, environment, onLeft: id => left.add(id) }, name, signal);
      } catch (error) {
        throw engineError(error, host);
      }
    },
    async sweep(log) {
      try {
        const { docker } = connectEngine(deps.host());
        await removeLeft(docker);
        return await sweepContainers(docker, log);
      } catch (error) {
        const fault = engineError(error, deps.host());
        // Where no engine answers, nothing of ours runs in it.
        if (fault.code === 'docker.unavailable') return 0;
        throw fault;
      }
    },
  };
}

function readOwner(label: string): Owner {
  try {
    return JSON.parse(label) as Owner;
  } catch {
    return { pid: 0, startTime: '' };
  }
}

/** The engine's answer, or a failure when it hangs. */
async function versionOf(docker: Docker): Promise<Docker.DockerVersion> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the engine does not answer')), probeTimeoutMs);
  });
  try {
    return await Promise.race([docker.version(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a container has a server again, or may get one: its home's next one says so soon, or gives it up. */
async function isAwaited(claim: string | undefined, createdAt: number): Promise<boolean> {
  const lives = claim === undefined ? null : await scratchOwnerLives(claim);
  if (lives === null) return false;
  return lives || Date.now() - createdAt < awaitedMs;
}

async function sweepContainers(docker: Docker, log: Log): Promise<number> {
  const containers = await docker.listContainers({ all: true, filters: { label: [ownerLabel] } });
  let removed = 0;
  for (const { Id, Names, Labels, Created } of containers) {
    if (ownerLives(readOwner(Labels[ownerLabel] ?? ''))) continue;
    if (await isAwaited(Labels[claimLabel], Created * 1000)) continue;
    await removeContainer(docker.getContainer(Id));
    log.info('Removed a container that a dead server left behind.', { container: Names[0] });
    removed++;
  }
  return removed;
}
