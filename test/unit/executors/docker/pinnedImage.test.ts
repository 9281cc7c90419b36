import type Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import { requirePinned } from '../../../../server/executors/docker/pinnedImage.ts';
import type { EnvironmentSpec } from '../../../../server/executors/executor.ts';

const digest = (character: string) => `sha256:${character.repeat(64)}`;
const environment: EnvironmentSpec = {
  ...{ taskName: 'median', directory: '/x', bundle: '/x/repo.bundle', baseImage: 'host:5000/node:24', workdir: '/app' },
};

/** An engine that has one image. */
const engine = (image: object) => ({ getImage: () => ({ inspect: async () => image }) }) as unknown as Docker;
const pulled = engine({ Id: 'a', RepoDigests: [`host:5000/node@${digest('1')}`], RootFS: { Layers: [digest('2')] } });
const imported = (id: string) => engine({ Id: id, RepoDigests: [], RootFS: { Type: 'layers', Layers: [digest('2')] } });

describe('the pin of a base image', () => {
  it('is the digest of its registry', async () => {
    const pin = { image: 'host:5000/node:24', digest: digest('1') };
    expect(await requirePinned(pulled, environment, 'host:5000/node:24')).toEqual(pin);
    expect(await requirePinned(pulled, { ...environment, pin }, 'host:5000/node:24')).toEqual(pin);
  });

  it('is what its layers hold where it lies in no registry, however often it was imported', async () => {
    const pin = await requirePinned(imported('a'), environment, 'codex-coach/base:1');
    expect(pin.digest).toMatch(/^layers:[0-9a-f]{64}$/);
    expect(await requirePinned(imported('b'), { ...environment, pin }, 'codex-coach/base:1')).toEqual(pin);
  });

  it('says how the right image can be had, or that the task must be proven again', async () => {
    const pin = { image: 'host:5000/node:24', digest: digest('3') };
    await expect(requirePinned(pulled, { ...environment, pin }, 'host:5000/node:24')).rejects.toMatchObject({
      code: 'docker.imageChanged',
      hint: expect.stringContaining(`docker pull host:5000/node@${digest('3')} && docker tag`),
    });
    const built = { image: 'node:24', digest: `layers:${'4'.repeat(64)}` };
    await expect(requirePinned(imported('a'), { ...environment, pin: built }, 'x:1')).rejects.toMatchObject({
      hint: expect.stringContaining('Prove the task on this one: codex-coach task validate median'),
    });
  });
});
