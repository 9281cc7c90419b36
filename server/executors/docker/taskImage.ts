import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { CoachError } from '../../../protocol/errors.ts';
import type { Log } from '../../base/log.ts';
import { packDirectory } from '../archive.ts';
import type { EnvironmentSpec } from '../executor.ts';
import { sandboxHome, sandboxUser, sharedPlaces } from '../places.ts';
import { hasImage } from './baseImage.ts';
import { followProgress } from './engine.ts';

/**
 * Builds the image of a task from its Dockerfile on the given base, once per content: the tag is a digest of all that
 * goes in. The build's context is the environment directory alone; tests and solution lie outside of it.
 */
export async function buildTaskImage(
  environment: EnvironmentSpec,
  base: string,
  docker: Docker,
  log: Log,
  signal: AbortSignal,
): Promise<string> {
  const dockerfile = await sealedDockerfile(environment, base);
  const context = () => packDirectory(environment.directory, { links: 'keep', extra: { [sealedName]: dockerfile } });
  const { Id: baseId } = await docker.getImage(base).inspect();
  const hash = createHash('sha256').update(baseId);
  for await (const chunk of context()) hash.update(chunk);
  const tag = `codex-coach/task-${imageName(environment.taskName)}:${hash.digest('hex').slice(0, 16)}`;
  if (await hasImage(docker, tag)) return tag;
  log.info(`Building the image of ${environment.taskName} on ${base}.`);
  const lines: string[] = [];
  try {
    const progress = await docker.buildImage(context(), {
      t: tag,
      dockerfile: sealedName,
      // Dependencies are mounted, from one installation for all tasks that have the same.
      buildargs: { BASE_IMAGE: base, DEPENDENCIES: 'mounted' },
      labels: { 'coach.task': environment.taskName },
      forcerm: true,
      abortSignal: signal,
    });
    await followProgress(docker, progress, line => {
      lines.push(line);
      log.debug(line);
    });
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof Error && 'code' in cause) throw cause;
    throw new CoachError('docker.failed', `The image of ${environment.taskName} can't be built: ${String(cause)}`, {
      cause,
      hint: `Last lines of the build: ${lines.slice(-5).join(' / ')}`,
    });
  }
  return tag;
}

/** Some programs don't start as a user without a name. */
const nameUser = `(cut -d: -f3 /etc/passwd | grep -qx ${sandboxUser} || echo 'agent:x:${sandboxUser}:${sandboxUser}::${sandboxHome}:/bin/sh' >> /etc/passwd)`;

const sealedName = 'Dockerfile.codex-coach';

/** The task's Dockerfile on the base that we have, ended by what sandboxes need. */
async function sealedDockerfile(environment: EnvironmentSpec, base: string): Promise<string> {
  const { directory, workdir, taskName, baseImage } = environment;
  const file = join(directory, 'Dockerfile');
  const given = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CoachError('task.invalid', `${taskName} has no ${file}.`, { cause, hint: 'Prepare the task again.' });
  });
  // Volumes take their first content and its owner from the image, so both must be right in there.
  const places = [workdir, ...sharedPlaces].join(' ');
  const onBase = given.replaceAll(/^(FROM\s+)(\S+)/gim, (whole, from: string, image: string) =>
    image === baseImage ? `${from}${base}` : whole,
  );
  const needs = `mkdir -p ${places} && chown -R ${sandboxUser}:${sandboxUser} ${places} && ${nameUser}`;
  return `${onBase.trimEnd()}\nUSER root\nRUN ${needs}\n`;
}

/** Image names allow lower case, digits and single separators. */
function imageName(taskName: string): string {
  return (
    taskName
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '') || 'task'
  );
}
