import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../server/base/log.ts';
import { anEnvironment, temporaryDirectory, testDockerExecutor } from '../integration/executorsFixture.ts';
import { requireFeature } from '../require.ts';

const image = `codex-coach/test-pinned-${process.pid}:1`;

describe.skipIf(!requireFeature('docker'))('the base image of a task', () => {
  const directory = temporaryDirectory('pinned');
  const built: string[] = [];
  afterEach(() => {
    docker(['image', 'rm', '--force', image, ...built]);
    directory.dispose();
  });

  it('is told, and another one of the same name is refused', { timeout: 180_000 }, async () => {
    const signal = AbortSignal.timeout(170_000);
    const executor = testDockerExecutor();
    const environment = anEnvironment(directory.path, { 'a.txt': 'one\n' });
    const { base } = await executor.prepare(environment, silentLog, signal);
    expect(base).toMatchObject({ image: environment.baseImage, digest: expect.stringMatching(/:[0-9a-f]{64}$/) });

    const [own] = docker(['image', 'ls', '--quiet', 'codex-coach/task-contract']);
    const build = (word: string) =>
      docker(['build', '--quiet', '--tag', image, '-'], `FROM ${own}\nRUN echo ${word} > /word && rm -rf /app\n`);
    const named = { ...environment, taskName: 'pinned', baseImage: image };
    build('one');
    const first = (await executor.prepare(named, silentLog, signal)).base;
    expect(first).toMatchObject({ image });
    expect((await executor.prepare({ ...named, pin: first }, silentLog, signal)).base).toEqual(first);
    build('two');
    await expect(executor.prepare({ ...named, pin: first }, silentLog, signal)).rejects.toMatchObject({
      code: 'docker.imageChanged',
      message: expect.stringContaining(`pinned was proven on ${image}`),
      hint: expect.stringContaining('codex-coach task validate pinned'),
    });
    built.push(...docker(['image', 'ls', '--quiet', 'codex-coach/task-pinned']));
  });
});

function docker(args: string[], input = ''): string[] {
  return execFileSync('docker', args, { encoding: 'utf8', input, env: { ...process.env, DOCKER_BUILDKIT: '0' } })
    .split('\n')
    .filter(Boolean);
}
