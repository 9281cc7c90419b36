import { basename, dirname } from 'node:path';
import { PassThrough } from 'node:stream';
import type Docker from 'dockerode';
import { CoachError } from '../../../protocol/errors.ts';
import { currentOwner } from '../../base/owner.ts';
import { firstFile, packDirectory, unpackUntrusted } from '../archive.ts';
import { type DiskLimit, readDu, withinDisk } from '../diskWatch.ts';
import type { EnvironmentSpec, Sandbox, SandboxSpec } from '../executor.ts';
import {
  hostsFile,
  insideNode,
  insideShim,
  insideSocketDirectory,
  sandboxHome,
  sandboxHostname,
  sandboxUser,
  sharedPlaces,
} from '../places.ts';
import { engineError, statusOf } from './engine.ts';
import { execIn, startAs, toVariables } from './execIn.ts';
import { execLasting } from './lastingExec.ts';

export const ownerLabel = 'coach.owner';
/** Path of the scratch directory that tells who owns the container now: labels can't be changed. */
export const claimLabel = 'coach.claim';

/** How much of the disk it may take, in bytes, for a server that did not make it. */
const diskLabel = 'coach.disk';

export interface ContainerSpec {
  readonly docker: Docker;
  readonly host: string;
  readonly image: string;
  readonly node: string;
  readonly shim: string;
  readonly environment: EnvironmentSpec;
  readonly spec: SandboxSpec;
  /** Told the id or name of a container that could not be removed, or may have been made. */
  onLeft(container: string): void;
}

/**
 * One container for the life of the sandbox; commands are executed in it, or its own one is started by `exec`. The repository and the shared places are
 * volumes: the engine fills them from the image, and they can still be read when everything inside has been killed.
 */
export async function startContainer(options: ContainerSpec, signal: AbortSignal): Promise<Sandbox> {
  const { docker, host, spec } = options;
  signal.throwIfAborted();
  let container: Docker.Container;
  try {
    container = await docker.createContainer(toCreateOptions(options));
  } catch (error) {
    // Without an answer nobody knows whether it was made.
    if (statusOf(error) === null) options.onLeft(spec.name);
    throw engineError(error, host);
  }
  const sandbox = containerSandbox(container, options, spec.limits.diskBytes, spec.only);
  try {
    if (spec.only === undefined) await startReady(container, spec.endpoint !== null, signal);
    return sandbox;
  } catch (error) {
    await sandbox.remove();
    signal.throwIfAborted();
    throw engineError(error, host);
  }
}

/** What the engine is asked for; nothing in it has to be relaxed for the agents. */
function toCreateOptions({ image, node, shim, environment, spec }: ContainerSpec): Docker.ContainerCreateOptions {
  const { endpoint, limits, only } = spec;
  const readOnly = (Source: string, Target: string) => ({ Type: 'bind' as const, Source, Target, ReadOnly: true });
  const volumes = [environment.workdir, ...sharedPlaces];
  return {
    name: spec.name,
    Image: image,
    User: `${sandboxUser}:${sandboxUser}`,
    WorkingDir: only?.cwd ?? environment.workdir,
    Env: [`HOME=${sandboxHome}`, 'LANG=C.UTF-8', ...toVariables(only?.env ?? {})],
    Labels: {
      ...spec.labels,
      [ownerLabel]: JSON.stringify(currentOwner()),
      [diskLabel]: String(limits.diskBytes),
      ...(spec.claim === undefined ? {} : { [claimLabel]: spec.claim }),
    },
    Entrypoint: only === undefined ? idleCommand(endpoint) : [...only.argv],
    Cmd: [],
    Hostname: sandboxHostname,
    // The engine then leaves the empty network of the container alone, which halves the time that a start takes it.
    NetworkDisabled: true,
    // The input of its command, which ends with it.
    ...(only === undefined ? {} : { OpenStdin: true, StdinOnce: true }),
    Volumes: Object.fromEntries(volumes.map(path => [path, {}])),
    HostConfig: {
      NetworkMode: 'none',
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Init: true,
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      NanoCpus: Math.round(limits.cpus * 1e9),
      PidsLimit: limits.pids,
      // One file can't fill the disk between two looks at all of them.
      Ulimits: [{ Name: 'fsize', Soft: limits.diskBytes, Hard: limits.diskBytes }],
      LogConfig: { Type: 'none', Config: {} },
      Tmpfs: {
        '/tmp': 'exec,size=256m,mode=1777',
        [sandboxHome]: `exec,size=512m,uid=${sandboxUser},gid=${sandboxUser}`,
      },
      Mounts: [
        readOnly(node, insideNode),
        readOnly(shim, insideShim),
        readOnly(hostsFile, '/etc/hosts'),
        ...(endpoint === null ? [] : [readOnly(dirname(endpoint.socket), insideSocketDirectory)]),
        ...spec.mounts.map(mount => readOnly(mount.host, mount.inside)),
      ],
    },
  };
}

/** What runs in a container besides the commands that are executed in it. */
function idleCommand(endpoint: SandboxSpec['endpoint']): string[] {
  if (endpoint === null) return ['sleep', 'infinity'];
  return [insideNode, insideShim, '--listen', String(endpoint.port), inside(endpoint.socket)];
}

function inside(socket: string): string {
  return `${insideSocketDirectory}/${basename(socket)}`;
}

/** A container that an earlier server made, as it is; null when there is none or it does not run. */
export async function adoptContainer(
  place: Pick<ContainerSpec, 'docker' | 'host' | 'environment' | 'onLeft'>,
  name: string,
  signal: AbortSignal,
): Promise<Sandbox | null> {
  signal.throwIfAborted();
  const container = place.docker.getContainer(name);
  try {
    const { Id, State, Config } = await container.inspect();
    const diskBytes = Number(Config.Labels[diskLabel] ?? Number.POSITIVE_INFINITY);
    if (State.Running) return containerSandbox(place.docker.getContainer(Id), place, diskBytes);
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
  await removeContainer(container);
  return null;
}

/** Starts the container and, where there is a way out, waits until the shim listens. */
async function startReady(container: Docker.Container, hasEndpoint: boolean, signal: AbortSignal): Promise<void> {
  if (!hasEndpoint) return void (await container.start());
  const stream = await container.attach({ stream: true, stdout: true, stderr: true });
  const output = new PassThrough();
  container.modem.demuxStream(stream, output, output);
  const ready = new Promise<void>((resolve, reject) => {
    let text = '';
    output.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('ready\n')) resolve();
    });
    stream.once('end', () => {
      reject(
        new CoachError('sandbox.failed', `The sandbox ended at its start: ${text.trim() || 'no output'}`, {
          hint: 'Its image must be a glibc one with libstdc++, such as the Debian-based images.',
        }),
      );
    });
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // Awaited after the start, which may fail first.
  ready.catch(() => undefined);
  try {
    await container.start();
    await ready;
  } finally {
    (stream as unknown as { destroy(): void }).destroy();
  }
}

function containerSandbox(
  container: Docker.Container,
  { host, environment, onLeft }: Pick<ContainerSpec, 'host' | 'environment' | 'onLeft'>,
  limitBytes: number,
  only?: SandboxSpec['only'],
): Sandbox {
  const places = [environment.workdir, ...sharedPlaces];
  const disk: DiskLimit = {
    limitBytes,
    async usedBytes(signal) {
      // Left to itself when it is no longer waited for: an aborted command would end the container.
      const du = { argv: ['du', '-sk', ...places] as [string, ...string[]], cwd: '/', env: {} };
      const { stdout } = await execIn(container, du, new AbortController().signal, signal);
      return readDu(stdout.toString());
    },
  };
  const placeOf = (inside: string): string => {
    const place = places.find(root => inside === root || inside.startsWith(`${root}/`));
    if (place !== undefined) return place;
    throw new CoachError(
      'sandbox.failed',
      `${inside} is not a place of the sandbox that files can be copied to or from.`,
    );
  };
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw engineError(error, host);
    }
  };
  let removed: Promise<void> | null = null;
  const ended = new AbortController();
  return {
    id: container.id,
    home: sandboxHome,
    exec: ({ lasting, ...command }, signal) =>
      guarded(() =>
        withinDisk(
          disk,
          within => {
            if (only !== undefined) return startAs(container, command, within);
            if (lasting !== undefined) return execLasting(container, command, lasting, within);
            return execIn(container, command, within);
          },
          AbortSignal.any([signal, ended.signal]),
        ),
      ),
    copyIn: (hostDirectory, inside, signal) =>
      guarded(async () => {
        const place = placeOf(inside);
        const below = inside.slice(place.length + 1);
        // Unpacked from the volume's root, so that the engine replaces a link that stands on the way.
        const archive = packDirectory(hostDirectory, { below });
        await container.putArchive(archive, { path: place, noOverwriteDirNonDir: false, abortSignal: signal });
      }),
    copyOut: (inside, hostDirectory, signal) =>
      guarded(async () => {
        placeOf(inside);
        const archive = await container.getArchive({ path: inside, abortSignal: signal });
        await unpackUntrusted(archive, hostDirectory, signal);
      }),
    readFile: (inside, maxBytes, signal) =>
      guarded(async () => {
        placeOf(inside);
        try {
          return await firstFile(await container.getArchive({ path: inside, abortSignal: signal }), maxBytes, signal);
        } catch (error) {
          // What is in the way of the file may have been put there.
          if (statusOf(error) !== null) return null;
          throw error;
        }
      }),
    async stop() {
      ended.abort(new CoachError('cancelled', 'The sandbox was stopped.'));
      await guarded(() => killContainer(container));
    },
    remove() {
      ended.abort(new CoachError('cancelled', 'The sandbox was removed.'));
      removed ??= guarded(() => removeContainer(container)).catch((error: unknown) => {
        removed = null;
        onLeft(container.id);
        throw error;
      });
      return removed;
    },
  };
}

/** Kills a container and waits for its end; one that has ended or is gone is fine. */
async function killContainer(container: Docker.Container): Promise<void> {
  try {
    const end = container.wait();
    // Asked for before the kill, which may fail first.
    end.catch(() => undefined);
    await container.kill({ signal: 'SIGKILL' });
    await end;
  } catch (error) {
    const status = statusOf(error);
    if (status !== 404 && status !== 409) throw error;
  }
}

/** Kills and removes a container with its volumes; one that is gone or going already is fine. */
export async function removeContainer(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    if (statusOf(error) === 404) return;
    if (statusOf(error) !== 409) throw error;
    await container.wait({ condition: 'removed' }).catch(() => undefined);
  }
}
