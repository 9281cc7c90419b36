import { mkdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { sep } from 'node:path';
import type { ExecutorInfo } from '../../../protocol/agents.ts';
import { CoachError } from '../../../protocol/errors.ts';
import type { Log } from '../../base/log.ts';
import { abandonedScratches } from '../../base/owner.ts';
import { installDependencies } from '../dependencies.ts';
import type { EnvironmentSpec, Executor, PreparedEnvironment } from '../executor.ts';
import { loadNeeds, type Needs, packageProbes } from '../needs.ts';
import { runBare, systemPlaces, tryBubblewrap } from './bubblewrap.ts';
import { removeUntrusted } from './copy.ts';
import { startLocalSandbox } from './sandbox.ts';

export interface LocalDeps {
  /** Where sandboxes keep their repository while they live; made 0700. */
  readonly workspaces: string;
  /** `COACH_HOME/cache/dependencies`. */
  readonly dependencyCache: string;
  /** Programs to try, in order: the system's bubblewrap and one that came with an agent. */
  readonly bubblewraps: () => readonly string[];
  readonly node: string;
  readonly shim: string;
}

const notIsolated = [
  'The kernel is shared with this machine, and no filter of system calls is set.',
  'Memory, with /tmp in it, processors and processes are not limited; the disk space that is taken is measured about once a second, and nothing limits it between two measurements.',
  'The programs and libraries in /usr of this machine are visible, read-only; the Dockerfile of a task is not applied.',
] as const;

/** Sandboxes of namespaces on this machine, made by bubblewrap. Linux only; never runs a command outside of one. */
export function localExecutor(deps: LocalDeps): Executor {
  let found: Promise<string> | null = null;
  /** The first bubblewrap that works. A failure is not remembered: the user may install one meanwhile. */
  const bubblewrap = (): Promise<string> => {
    found ??= findBubblewrap(deps).catch((error: unknown) => {
      found = null;
      throw error;
    });
    return found;
  };
  const info = (available: boolean, detail: string): ExecutorInfo => ({
    id: 'local',
    title: 'Local sandbox',
    available,
    detail,
    notIsolated: [...notIsolated],
  });
  return {
    id: 'local',
    title: 'Local sandbox',
    tmpEndsWithCommand: true,
    notIsolated,
    async probe() {
      try {
        return info(true, `bubblewrap at ${await bubblewrap()}`);
      } catch (error) {
        const { message, hint } = CoachError.from(error);
        return info(false, hint === null ? message : `${message} ${hint}`);
      }
    },
    async prepare(environment, log, signal): Promise<PreparedEnvironment> {
      const program = await bubblewrap();
      await refuseVisible(environment, deps.workspaces);
      const needs = await loadNeeds(environment.directory);
      await requirePackages(needs, { ...deps, program }, signal);
      const mounts = await installDependencies(environment.directory, needs, deps.dependencyCache, log, signal);
      return {
        base: null,
        start: (given, startSignal) => {
          const spec = { ...given, mounts: [...given.mounts, ...mounts] };
          return startLocalSandbox({ ...deps, program, environment, spec }, startSignal);
        },
      };
    },
    sweep: log => sweepWorkspaces(deps.workspaces, log),
  };
}

async function findBubblewrap({ bubblewraps, node, shim }: LocalDeps): Promise<string> {
  if (process.platform !== 'linux') {
    throw new CoachError('executor.unavailable', 'The local sandbox needs Linux.', { hint: 'Use Docker instead.' });
  }
  const failures: string[] = [];
  for (const program of bubblewraps()) {
    const failure = await tryBubblewrap(program, node, shim);
    if (failure === null) return program;
    failures.push(`${program}: ${failure}`);
  }
  throw new CoachError('executor.unavailable', `No working bubblewrap (${failures.join('; ')}).`, {
    hint: 'Install it (Debian, Ubuntu: apt-get install bubblewrap), allow user namespaces, or use Docker.',
  });
}

/** The sandbox itself is asked: it has the programs of this machine that lie in /usr, and no others. */
async function requirePackages(
  { packages }: Needs,
  { program, node, shim }: LocalDeps & { readonly program: string },
  signal: AbortSignal,
): Promise<void> {
  for (const name of packages) {
    const failure = await runBare(program, node, shim, packageProbes[name], signal);
    if (failure === null) continue;
    const probe = packageProbes[name].join(' ');
    throw new CoachError('executor.unavailable', `The tests need ${name}, but "${probe}" fails here: ${failure}.`, {
      hint: `Install it where the sandbox sees it, in /usr (Debian, Ubuntu: apt-get install ${name}), or use Docker.`,
    });
  }
}

/** What lies in the system's directories is visible inside, so no task and no state of ours may lie there. */
async function refuseVisible({ directory }: EnvironmentSpec, workspaces: string): Promise<void> {
  await mkdir(workspaces, { recursive: true, mode: 0o700 });
  for (const place of [directory, workspaces]) {
    const path = await realpath(place);
    const system = systemPlaces.find(root => path === root || path.startsWith(root + sep));
    if (system === undefined) continue;
    throw new CoachError('executor.unavailable', `${place} lies in ${system}, which agents can read in this sandbox.`, {
      hint: 'Move it elsewhere, or run with --executor docker.',
    });
  }
}

/**
 * Removes what dead servers left: sandboxes, sockets and copies of trials in `workspaces`, and temporary repositories.
 * @returns how many there were in `workspaces`
 */
async function sweepWorkspaces(workspaces: string, log: Log): Promise<number> {
  const ours = await abandonedScratches(workspaces);
  for (const directory of [...ours, ...(await abandonedScratches(tmpdir()))]) {
    await removeUntrusted(directory);
    log.info('Removed a directory that a dead server left behind.', { directory });
  }
  return ours.length;
}
