import { lchown, lstat, mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import { exec } from '../../base/exec.ts';
import { makeScratch } from '../../base/owner.ts';
import { readOnlyError } from '../../base/paths.ts';
import { readDu, withinDisk } from '../diskWatch.ts';
import type { EnvironmentSpec, Sandbox, SandboxCommand, SandboxOutcome, SandboxSpec } from '../executor.ts';
import { hostsFile, sandboxHome, sandboxUser, sharedPlaces } from '../places.ts';
import { type Bind, bubblewrapArgs, runsAsRoot, sandboxEnv } from './bubblewrap.ts';
import { copyTrusted, copyUntrusted, makeDirectory, readUntrusted, removeUntrusted } from './copy.ts';

/**
 * Checks the start commit out byte by byte (no conversion that a `.gitattributes` asks for), with no remote and no reflog.
 * It runs inside the sandbox: the bundle may come from anywhere.
 */
const unpackScript = `
git init --quiet --template= --initial-branch=main
mkdir -p .git/info
echo '* -text -filter -ident !working-tree-encoding !eol' > .git/info/attributes
git -c core.logAllRefUpdates=false fetch --quiet --update-head-ok /opt/coach/repo.bundle HEAD:refs/heads/main
git -c core.logAllRefUpdates=false reset --quiet --hard main
rm -f .git/FETCH_HEAD .git/ORIG_HEAD
# Tools keep their caches here; what they run lies one directory up, read-only.
if [ -d /node_modules ]; then mkdir -p node_modules; fi
`;

interface LocalSandboxSpec {
  readonly program: string;
  readonly workspaces: string;
  readonly node: string;
  readonly shim: string;
  readonly environment: EnvironmentSpec;
  readonly spec: SandboxSpec;
}

/**
 * A directory with the repository, HOME and the shared places, and one bubblewrap per command over it: when a command
 * ends, whatever it left running ends with it.
 */
export async function startLocalSandbox(options: LocalSandboxSpec, signal: AbortSignal): Promise<Sandbox> {
  const { environment, spec, workspaces } = options;
  const directory = join(workspaces, spec.name);
  const places = [environment.workdir, sandboxHome, ...sharedPlaces].map((inside, index) => ({
    inside,
    host: join(directory, `place-${index}`),
    writable: true,
  }));
  const sandbox = localSandbox(options, directory, places);
  try {
    await makePlaces(directory, places);
    const bundle = { host: environment.bundle, inside: '/opt/coach/repo.bundle', writable: false };
    const unpacked = await sandbox.run(
      { argv: ['/bin/sh', '-ec', unpackScript, 'sh', environment.workdir], cwd: environment.workdir, env: {} },
      [bundle],
      signal,
    );
    if (unpacked.exitCode !== 0) {
      throw new CoachError(
        'sandbox.failed',
        `The start commit can't be unpacked: ${unpacked.stderr.toString().trim()}`,
        { hint: 'Prepare the task again; the sandbox also needs git in /usr of this machine.' },
      );
    }
    return sandbox;
  } catch (error) {
    await sandbox.remove();
    throw error;
  }
}

async function makePlaces(directory: string, places: readonly Bind[]): Promise<void> {
  try {
    await makeScratch(directory);
    await writeFile(join(directory, 'passwd'), `agent:x:${sandboxUser}:${sandboxUser}::${sandboxHome}:/bin/sh\n`);
    await writeFile(join(directory, 'group'), `agent:x:${sandboxUser}:\n`);
    for (const { host } of places) {
      await mkdir(host, { mode: 0o755 });
      await giveToUser(host);
    }
  } catch (cause) {
    throw readOnlyError(directory, cause);
  }
}

async function usedBytes(directory: string, signal: AbortSignal): Promise<number | null> {
  const { stdout } = await exec({ argv: ['du', '-sk', directory], env: {} }, signal);
  return readDu(stdout.toString());
}

async function giveToUser(path: string): Promise<void> {
  if (runsAsRoot) await lchown(path, sandboxUser, sandboxUser);
}

function localSandbox(
  { program, node, shim, spec }: LocalSandboxSpec,
  directory: string,
  places: readonly Bind[],
): Sandbox & { run(command: SandboxCommand, extra: readonly Bind[], signal: AbortSignal): Promise<SandboxOutcome> } {
  const ended = new AbortController();
  const running = new Set<Promise<unknown>>();
  const binds: Bind[] = [
    ...['passwd', 'group'].map(name => ({ host: join(directory, name), inside: `/etc/${name}`, writable: false })),
    { host: hostsFile, inside: '/etc/hosts', writable: false },
    ...places,
    ...spec.mounts.map(mount => ({ ...mount, writable: false })),
  ];
  const run = async (command: SandboxCommand, extra: readonly Bind[], signal: AbortSignal): Promise<SandboxOutcome> => {
    const { argv, cwd, env, ...streams } = command;
    const wrapped = bubblewrapArgs(program, {
      ...{ node, shim, cwd, argv },
      binds: [...binds, ...extra],
      endpoint: spec.endpoint,
    });
    const execution = withinDisk(
      { limitBytes: spec.limits.diskBytes, usedBytes: abort => usedBytes(directory, abort) },
      within => exec({ argv: wrapped, env: sandboxEnv(env), ...streams }, within),
      AbortSignal.any([signal, ended.signal]),
    );
    running.add(execution);
    try {
      return await execution;
    } finally {
      running.delete(execution);
    }
  };
  const stop = async () => {
    ended.abort(new CoachError('cancelled', 'The sandbox was stopped.'));
    await Promise.allSettled(running);
  };
  /** The place that `inside` lies in, and its path on this machine. */
  const locate = (inside: string): { place: string; path: string } => {
    for (const { inside: root, host } of places) {
      if (inside === root || inside.startsWith(`${root}/`)) {
        return { place: host, path: join(host, relative(root, inside)) };
      }
    }
    throw new CoachError(
      'sandbox.failed',
      `${inside} is not a place of the sandbox that files can be copied to or from.`,
    );
  };
  return {
    id: spec.name,
    home: sandboxHome,
    run,
    exec({ onStarted, ...command }, signal) {
      onStarted?.();
      command.lasting?.onStarted();
      return run(command, [], signal);
    },
    async copyIn(hostDirectory, inside) {
      const { place, path } = locate(inside);
      let parent = place;
      for (const part of relative(place, path).split('/').filter(Boolean)) {
        parent = join(parent, part);
        await makeDirectory(parent, giveToUser);
      }
      await copyTrusted(hostDirectory, path, giveToUser);
    },
    async copyOut(inside, hostDirectory, signal) {
      const { place, path } = locate(inside);
      let parent = place;
      for (const part of relative(place, path).split('/').filter(Boolean)) {
        parent = join(parent, part);
        const stat = await lstat(parent).catch(() => null);
        // A link here could lead anywhere on this machine.
        if (!stat?.isDirectory())
          throw new CoachError('sandbox.failed', `${inside} is not a directory of the sandbox.`);
      }
      await copyUntrusted(path, hostDirectory, signal);
    },
    async readFile(inside, maxBytes) {
      const { place, path } = locate(inside);
      return readUntrusted(place, relative(place, path), maxBytes);
    },
    stop,
    async remove() {
      await stop();
      await removeUntrusted(directory);
    },
  };
}
