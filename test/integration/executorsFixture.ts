import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLog } from '../../server/base/log.ts';
import { dockerExecutor } from '../../server/executors/docker/docker.ts';
import type { EnvironmentSpec, Executor } from '../../server/executors/executor.ts';
import { localExecutor } from '../../server/executors/local/local.ts';
import { shimFile } from '../../server/executors/places.ts';

/** A temporary directory that is removed by `dispose`. */
export function temporaryDirectory(name: string): { path: string; dispose(): void } {
  const path = mkdtempSync(join(tmpdir(), `coach-${name}-`));
  return { path, dispose: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

export function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

export function runGit(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'init.defaultBranch=main'];
  return execFileSync('git', [...identity, ...args], { cwd, encoding: 'utf8', env: gitEnv() });
}

function gitEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: tmpdir(), GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
}

/** Makes a bundle with one commit of the given files. */
export function writeBundle(bundle: string, files: Readonly<Record<string, string>>): void {
  const repository = mkdtempSync(join(tmpdir(), 'coach-bundle-'));
  try {
    writeFiles(repository, files);
    runGit(repository, 'init', '--quiet');
    runGit(repository, 'add', '--all');
    runGit(repository, 'commit', '--quiet', '--message', 'Start');
    mkdirSync(dirname(bundle), { recursive: true });
    runGit(repository, 'bundle', 'create', '--quiet', bundle, 'HEAD', 'main');
  } finally {
    rmSync(repository, { recursive: true, force: true });
  }
}

/** What a prepared task's environment directory holds. */
export const dockerfile = `ARG BASE_IMAGE=node:24-bookworm-slim
FROM \${BASE_IMAGE}
COPY repo.bundle /tmp/repo.bundle
RUN git clone --quiet --branch main /tmp/repo.bundle /app && git -C /app remote remove origin && rm /tmp/repo.bundle
WORKDIR /app
`;

/** An environment with a one-commit repository, as a prepared task has it. */
export function anEnvironment(directory: string, files: Readonly<Record<string, string>>): EnvironmentSpec {
  const environment = join(directory, 'environment');
  const bundle = join(environment, 'repo.bundle');
  writeBundle(bundle, files);
  writeFileSync(join(environment, 'Dockerfile'), dockerfile);
  return { taskName: 'contract', directory: environment, bundle, baseImage: 'node:24-bookworm-slim', workdir: '/app' };
}

export function testLocalExecutor(coachHome: string): Executor {
  return localExecutor({
    workspaces: join(coachHome, 'workspaces'),
    dependencyCache: join(testTools(), 'dependencies'),
    bubblewraps: () => ['bwrap'],
    node: process.execPath,
    shim: shimFile,
  });
}

function testTools(): string {
  return process.env['COACH_TOOLS'] || join(homedir(), '.codex-coach', 'cache');
}

/** Images are kept in the cache of the machine's tests: building the base takes half a minute. */
export function testDockerExecutor(): Executor {
  return dockerExecutor({
    host: () => process.env['DOCKER_HOST'] ?? '',
    imageCache: join(testTools(), 'images'),
    dependencyCache: join(testTools(), 'dependencies'),
    node: process.execPath,
    shim: shimFile,
  });
}

/** Starts a sandbox with a long command in it and says so: to be killed, as a server may be. */
export async function startAndStay(executor: Executor, home: string, name: string): Promise<void> {
  const signal = new AbortController().signal;
  const environment = await executor.prepare(anEnvironment(join(home, 'orphan'), { a: 'b' }), silentLog, signal);
  const limits = { memoryBytes: 256 * 1024 ** 2, cpus: 1, pids: 64, diskBytes: 64 * 1024 ** 2 };
  const sandbox = await environment.start({ name, labels: {}, endpoint: null, mounts: [], limits }, signal);
  const argv = ['sh', '-c', '(setsid sleep 7654 &); echo up; sleep 7654'] as const;
  await sandbox.exec({ argv: [...argv], cwd: '/app', env: {}, onStdout: () => console.log('up') }, signal);
}
