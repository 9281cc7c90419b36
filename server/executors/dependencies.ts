import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import { exec } from '../base/exec.ts';
import { writeDirectoryAtomic } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import type { SandboxSpec } from './executor.ts';
import type { Needs } from './needs.ts';

interface Manager {
  /** Where the packages stand inside. Node finds them there from every directory. */
  readonly inside: string;
  /** Where the command puts them, in the directory it runs in. */
  readonly output: string;
  /** Installs for Linux with glibc, whatever this machine is, and runs no code of any package. */
  argv(files: readonly string[]): readonly [string, ...string[]];
}

const processor = process.arch === 'arm64' ? 'arm64' : 'x64';
const wheels = processor === 'arm64' ? 'aarch64' : 'x86_64';

const managers: Readonly<Record<'npm' | 'pip', Manager>> = {
  npm: {
    inside: '/node_modules',
    output: 'node_modules',
    argv: () => [
      ...(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'] as const),
      ...['--os=linux', `--cpu=${processor}`, '--libc=glibc'],
    ],
  },
  pip: {
    inside: '/opt/task/python',
    output: 'python',
    // The Python of Debian 12.
    argv: files => [
      ...(['python3', '-m', 'pip', 'install', '--quiet', '--target', 'python', '--only-binary=:all:'] as const),
      ...['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--abi', 'abi3', '--abi', 'none'],
      ...['manylinux_2_36', 'manylinux2014', 'linux'].flatMap(kind => ['--platform', `${kind}_${wheels}`]),
      ...files.flatMap(file => ['-r', file]),
    ],
  },
};

const underWay = new Map<string, Promise<void>>();

/**
 * Installs what the files in `environment/dependencies/` name, once for all tasks with the same files, and says where it
 * is to be mounted. From then on no network is needed.
 * @param cache `COACH_HOME/cache/dependencies`
 * @throws CoachError `executor.unavailable`
 */
export async function installDependencies(
  environment: string,
  { dependencies }: Needs,
  cache: string,
  log: Log,
  signal: AbortSignal,
): Promise<SandboxSpec['mounts']> {
  if (dependencies === null) return [];
  const manager = managers[dependencies];
  const source = join(environment, 'dependencies');
  const directory = join(cache, `${dependencies}-${await digestOf(source, manager)}`);
  if (!existsSync(directory)) {
    const running = underWay.get(directory) ?? install(manager, source, directory, log, signal);
    underWay.set(directory, running);
    await running.finally(() => underWay.delete(directory));
  }
  return [{ host: join(directory, manager.output), inside: manager.inside }];
}

async function install(manager: Manager, source: string, target: string, log: Log, signal: AbortSignal): Promise<void> {
  const files = await filesIn(source);
  const argv = manager.argv(files);
  log.info(`Installing dependencies with ${argv.slice(0, 2).join(' ')}, once for these files.`, { files });
  await writeDirectoryAtomic(target, async directory => {
    await cp(source, directory, { recursive: true });
    await mkdir(join(directory, manager.output), { recursive: true });
    const outcome = await exec({ argv, cwd: directory, env: process.env }, signal).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw failed(`${argv[0]} can't be started`, cause);
    });
    if (outcome.exitCode === 0) return;
    const said = outcome.stderr
      .toString()
      .split('\n')
      .filter(line => /error/i.test(line))
      .slice(0, 5)
      .join(' ');
    throw failed(said || `exit code ${outcome.exitCode}`);
  }).catch((error: unknown) => {
    // Another process may have been first: its installation is as good.
    if (!existsSync(target)) throw error;
  });
}

function failed(reason: string, cause?: unknown): CoachError {
  return new CoachError('executor.unavailable', `The dependencies of the task can't be installed: ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'They are fetched once, as ready-made packages; check the network and the registry, then try again.',
  });
}

async function digestOf(source: string, manager: Manager): Promise<string> {
  const files = await filesIn(source);
  const hash = createHash('sha256').update(JSON.stringify(manager.argv(files)));
  for (const file of files) hash.update(`\0${file}\0`).update(await readFile(join(source, file)));
  return hash.digest('hex').slice(0, 24);
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}
