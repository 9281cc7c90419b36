import { createHash } from 'node:crypto';
import type Docker from 'dockerode';
import { CoachError } from '../../../protocol/errors.ts';
import type { PinnedImage } from '../../../protocol/tasks.ts';
import type { EnvironmentSpec } from '../executor.ts';

/**
 * What the base image of an environment is, after a check that it is the one that the task was proven on: a tag can mean
 * another image tomorrow, and tests may pass on the one and fail on the other.
 * @param base reference that the engine has; a substitute where the image itself could not be had
 * @throws CoachError `docker.imageChanged`
 */
export async function requirePinned(
  docker: Docker,
  { taskName, baseImage, pin = null }: EnvironmentSpec,
  base: string,
): Promise<PinnedImage> {
  const digest = digestOf(await docker.getImage(base).inspect(), base);
  if (pin === null || pin.digest === digest) return { image: baseImage, digest };
  const again = `codex-coach task validate ${taskName}`;
  const pull = `docker pull ${nameOnly(pin.image)}@${pin.digest} && docker tag ${nameOnly(pin.image)}@${pin.digest} ${pin.image}`;
  throw new CoachError(
    'docker.imageChanged',
    `${taskName} was proven on ${pin.image} (${pin.digest}), but ${base} is ${digest} here.`,
    {
      hint: pin.digest.startsWith('sha256:')
        ? `Get that image: ${pull}. Or prove the task on this one: ${again}`
        : `That image was built on a machine and lies in no registry. Prove the task on this one: ${again}`,
    },
  );
}

/**
 * The digest that a registry knows an image by. One that was built here has none: its layers, which are the same wherever
 * the same archive is imported, although the engine gives it another id each time.
 */
function digestOf({ RepoDigests, RootFS }: Docker.ImageInspectInfo, name: string): string {
  const known = (RepoDigests ?? []).find(entry => entry.startsWith(`${nameOnly(name)}@`));
  if (known !== undefined) return known.split('@')[1] ?? known;
  return `layers:${createHash('sha256')
    .update((RootFS.Layers ?? []).join('\n'))
    .digest('hex')}`;
}

/** Without the tag; a colon before a slash belongs to a registry's port. */
function nameOnly(image: string): string {
  return image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}
