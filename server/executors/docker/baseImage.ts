import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { CoachError } from '../../../protocol/errors.ts';
import { exec } from '../../base/exec.ts';
import { writeFileAtomic } from '../../base/files.ts';
import type { Log } from '../../base/log.ts';
import { shellWord } from '../../base/shell.ts';
import { followProgress, statusOf } from './engine.ts';

export interface BaseImageDeps {
  readonly docker: Docker;
  /** Where built substitutes are kept: `COACH_HOME/cache/images`. */
  readonly cache: string;
  /** Our Node binary, put into the substitute of a `node:` image. */
  readonly node: string;
  /** Debian packages that a substitute must hold besides its own. */
  readonly packages: readonly string[];
}

/** How long a pull may stay without a word. */
const pullSilenceMs = 30_000;
/** How long the registry is not asked again for an image that it did not give, where there is a substitute. */
const failureCountsMs = 24 * 60 * 60_000;

/** What a substitute holds; part of its name, so that a change makes a new one. */
const recipe = {
  suite: 'bookworm',
  packages: ['ca-certificates', 'git', 'libstdc++6', 'libatomic1'],
  excluded: ['/usr/share/man/*', '/usr/share/doc/*', '/usr/share/locale/*', '/usr/share/info/*'],
} as const;

const substituteRepository = 'codex-coach/base';

/** One substitute for each set of packages. */
function substituteDigest({ packages }: BaseImageDeps): string {
  const more = packages.length === 0 ? {} : { packages: packages.toSorted() };
  return digestOf(JSON.stringify({ recipe, node: process.version, ...more }));
}

function substituteTag(deps: BaseImageDeps): string {
  return `${substituteRepository}:${substituteDigest(deps)}`;
}

/**
 * The image to build a task on: the one that is named, from this machine or its registry; where there is none, an
 * equal made of Debian packages and our Node.
 * @returns a reference that the engine has
 * @throws CoachError `docker.imageMissing` when no way leads to one
 */
export async function resolveBaseImage(
  name: string,
  deps: BaseImageDeps,
  log: Log,
  signal: AbortSignal,
): Promise<string> {
  if (await hasImage(deps.docker, name)) return name;
  const failureFile = join(deps.cache, `not-pulled-${digestOf(name)}.txt`);
  const known = await recentFailure(failureFile);
  if (known !== null && canStandIn(name) && (await isBuilt(deps))) {
    log.info(
      `${name} could not be pulled within the last day; taking the image that was built from Debian packages instead. The engine said: ${known}`,
    );
    return substitute(name, known, deps, log, signal);
  }
  log.info(`Pulling ${name}.`);
  const failure = await pull(deps.docker, name, log, signal);
  if (failure === null) {
    await rm(failureFile, { force: true });
    return name;
  }
  await writeFileAtomic(failureFile, failure);
  log.warn(`${name} can't be pulled (${failure}); building a substitute from Debian packages.`);
  return substitute(name, failure, deps, log, signal);
}

/** Why a pull failed, when that is not long ago; null otherwise. */
async function recentFailure(file: string): Promise<string | null> {
  const stored = await stat(file).catch(() => null);
  if (stored === null || Date.now() - stored.mtimeMs > failureCountsMs) return null;
  return readFile(file, 'utf8');
}

/** Whether the substitute is there, in the engine or as an archive to import. */
async function isBuilt(deps: BaseImageDeps): Promise<boolean> {
  return existsSync(archiveOf(deps)) || hasImage(deps.docker, substituteTag(deps));
}

export async function hasImage(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).inspect();
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}

/** Null when the image is there now; else why not. */
async function pull(docker: Docker, name: string, log: Log, signal: AbortSignal): Promise<string | null> {
  const silent = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(new Error('the registry does not answer')), pullSilenceMs);
  };
  heard();
  try {
    const abortSignal = AbortSignal.any([signal, silent.signal]);
    const progress = await docker.pull(name, { abortSignal });
    await followProgress(docker, progress, text => {
      heard();
      log.debug(text);
    });
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (statusOf(error) === null && isEngineGone(error)) throw error;
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}

function isEngineGone(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
}

async function substitute(
  name: string,
  failure: string,
  deps: BaseImageDeps,
  log: Log,
  signal: AbortSignal,
): Promise<string> {
  const missing = (reason: string, cause?: unknown) =>
    new CoachError('docker.imageMissing', `The image ${name} is not on this machine and can't be had: ${reason}.`, {
      ...(cause === undefined ? {} : { cause }),
      hint: `Run "docker pull ${name}" where its registry can be reached, or run with --executor local.`,
    });
  if (!canStandIn(name)) throw missing(failure);
  const tag = substituteTag(deps);
  if (await hasImage(deps.docker, tag)) return tag;
  const archive = archiveOf(deps);
  if (!existsSync(archive)) {
    try {
      await buildArchive(archive, deps, log, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw missing(`${failure}; a substitute from Debian packages failed too: ${(error as Error).message}`, error);
    }
  }
  log.info(`Importing ${archive}.`);
  const progress = await deps.docker.importImage(archive, { repo: substituteRepository, tag: substituteDigest(deps) });
  await followProgress(deps.docker, progress, text => log.debug(text));
  return tag;
}

/** Versions of compilers that Debian has, so that its packages can stand in for their images. */
const debianCompilers: Readonly<Record<string, RegExp>> = { golang: /^1\.19\b/, rust: /^1\.63\b/ };

/** Images of Debian itself, of its compilers and of our own major version of Node can be rebuilt; others hold more. */
function canStandIn(name: string): boolean {
  const [repository, tag = ''] = name.split(':');
  if (tag.includes('alpine')) return false;
  if (repository === 'debian') return tag.startsWith(recipe.suite);
  if (Object.hasOwn(debianCompilers, repository ?? '')) return debianCompilers[repository ?? '']?.test(tag) ?? false;
  return repository === 'node' && new RegExp(`^${process.versions.node.split('.')[0]}\\b`).test(tag);
}

async function buildArchive(archive: string, deps: BaseImageDeps, log: Log, signal: AbortSignal): Promise<void> {
  await mkdir(deps.cache, { recursive: true });
  const temporary = `${archive}.${process.pid}.tmp.tar`;
  log.info(`Building ${archive} with mmdebstrap; this takes about a minute, once.`);
  try {
    const outcome = await exec(
      {
        argv: [
          'mmdebstrap',
          ...[
            '--variant=apt',
            `--include=${[...recipe.packages, ...deps.packages].join(',')}`,
            '--aptopt=APT::Install-Recommends "false"',
          ],
          // Packages of Java register their manuals where there must be a directory for them.
          '--essential-hook=mkdir -p "$1/usr/share/man/man1"',
          ...recipe.excluded.map(path => `--dpkgopt=path-exclude=${path}`),
          `--customize-hook=upload ${shellWord(deps.node)} /usr/local/bin/node`,
          '--customize-hook=chmod 755 "$1/usr/local/bin/node"',
          ...[recipe.suite, temporary],
        ],
        env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', TMPDIR: process.env['TMPDIR'] },
        onStderr: chunk => log.debug(chunk.toString().trim()),
      },
      signal,
    );
    if (outcome.exitCode !== 0) {
      throw new Error(outcome.stderr.toString().trim().split('\n').at(-1) ?? `exit code ${outcome.exitCode}`);
    }
    await rename(temporary, archive);
  } finally {
    await rm(temporary, { force: true });
  }
}

function archiveOf(deps: BaseImageDeps): string {
  return join(deps.cache, `base-${substituteDigest(deps)}.tar`);
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
