import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../server/base/log.ts';
import { dockerExecutor } from '../../server/executors/docker/docker.ts';
import type { Executor } from '../../server/executors/executor.ts';
import { shimFile } from '../../server/executors/places.ts';
import { aBench, type Bench, solutionLine } from '../integration/benchFixture.ts';
import { temporaryDirectory, testDockerExecutor, testLocalExecutor } from '../integration/executorsFixture.ts';
import { requireFeature } from '../require.ts';

const engineSocket = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace('unix://', '');

/** The engine's socket behind one of ours, which can be cut. */
async function aCuttableEngine(socket: string): Promise<{ cut(): Promise<void> }> {
  const connections = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, inside => {
    const outside = connect({ path: engineSocket, allowHalfOpen: true });
    for (const end of [inside, outside]) {
      connections.add(end);
      end.on('error', () => end.destroy());
      end.on('close', () => connections.delete(end));
    }
    inside.pipe(outside).pipe(inside);
  });
  await new Promise<void>(resolve => server.listen(socket, resolve));
  return {
    cut() {
      for (const end of connections) end.destroy();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}

describe.skipIf(!requireFeature('docker'))('when Docker fails', () => {
  let bench: Bench;
  let directory: ReturnType<typeof temporaryDirectory> | null = null;
  afterEach(async () => {
    await bench?.dispose();
    directory?.dispose();
    directory = null;
    await testDockerExecutor().sweep(silentLog);
  });

  it('ends a trial as an error, not as a 0, when the engine goes away in the middle of it, and cleans up when it is back', {
    timeout: 120_000,
  }, async () => {
    directory = temporaryDirectory('engine');
    const socket = join(directory.path, 'docker.sock');
    let host = socket;
    const engine = await aCuttableEngine(socket);
    const executor = dockerExecutorAt(() => host, directory.path);
    bench = await aBench({ executors: () => [executor] });
    const working = new Promise<void>(resolve => {
      bench.bus.subscribe(({ payload }) => {
        if ((payload as { text?: string }).text?.includes('at work')) resolve();
      });
    });
    const runId = await bench.run([{ id: 'command', command: ['sh', '-c', 'echo at work; sleep 60'] }]);
    await working;
    await engine.cut();
    const run = await bench.service.finished(runId);
    expect(run.state).toBe('finished');
    expect(bench.store.trials(runId)[0]).toMatchObject({
      end: 'errored',
      reward: null,
      error: { code: 'docker.unavailable', hint: 'Start Docker, or run with --executor local.' },
    });
    const [trial] = bench.store.trials(runId);
    expect(containersOf(trial?.id ?? '')).not.toEqual([]);
    host = engineSocket;
    await executor.sweep(silentLog);
    expect(containersOf(trial?.id ?? '')).toEqual([]);
  });

  it('tries the trial again when the engine is back, and removes what the first try left', {
    timeout: 120_000,
  }, async () => {
    directory = temporaryDirectory('engine');
    const socket = join(directory.path, 'docker.sock');
    const engine = await aCuttableEngine(socket);
    const executor = dockerExecutorAt(() => socket, directory.path);
    bench = await aBench({ executors: () => [executor] });
    const working = new Promise<void>(resolve => {
      bench.bus.subscribe(({ payload }) => {
        if ((payload as { text?: string }).text?.includes('at work')) resolve();
      });
    });
    const script = `echo at work; sleep 3; mkdir -p src; echo '${solutionLine}' > src/median.js`;
    const runId = await bench.run([{ id: 'command', command: ['sh', '-c', script] }], { retries: 8 });
    await working;
    await engine.cut();
    const again = await aCuttableEngine(socket);
    const run = await bench.service.finished(runId);
    expect(run).toMatchObject({ state: 'finished', meanReward: 1, trialCounts: { total: 1, done: 1, errored: 0 } });
    const [trial] = bench.store.trials(runId);
    const tries = bench.store.tries(trial?.id ?? '').map(({ end, error }) => [end, error?.code]);
    expect(tries[0]?.[0]).toBe('errored');
    expect(tries.at(-1)).toEqual(['verified', undefined]);
    await executor.sweep(silentLog);
    expect(containersOf(trial?.id ?? '')).toEqual([]);
    await again.cut();
  });

  it('says which image is missing and how to get it', async () => {
    bench = await aBench({ executors: () => [testDockerExecutor()] });
    useImage(bench, 'no-such-image:1');
    const runId = await bench.run([{ id: 'nop' }]);
    await bench.service.finished(runId);
    expect(bench.store.trials(runId)[0]).toMatchObject({
      end: 'errored',
      error: {
        code: 'docker.imageMissing',
        message: expect.stringContaining('no-such-image:1'),
        hint: expect.stringContaining('docker pull no-such-image:1'),
      },
    });
  });

  it('says what failed in the build of an image', async () => {
    bench = await aBench({ executors: () => [testDockerExecutor()] });
    const file = dockerfileOf(bench);
    writeFileSync(file, `${readFileSync(file, 'utf8')}RUN echo about to fail && false\n`);
    const runId = await bench.run([{ id: 'nop' }]);
    await bench.service.finished(runId);
    expect(bench.store.trials(runId)[0]).toMatchObject({
      end: 'errored',
      error: { code: 'docker.failed', hint: expect.stringContaining('about to fail') },
    });
  });

  it.skipIf(!requireFeature('sandbox'))(
    'goes on in local sandboxes when the image can not be had, and says so',
    async () => {
      bench = await aBench({ executors: home => [testDockerExecutor(), testLocalExecutor(home)] });
      useImage(bench, 'no-such-image:1');
      const runId = await bench.run([{ id: 'oracle' }]);
      const run = await bench.service.finished(runId);
      expect(run).toMatchObject({ executor: 'local', meanReward: 1 });
      expect(run.notIsolated.join(' ')).toContain('Memory');
      const texts = bench.store.events(runId, 0, 100).map(event => event.text);
      expect(texts.some(text => text.includes('going on with Local sandbox'))).toBe(true);
    },
  );
});

function dockerExecutorAt(host: () => string, directory: string): Executor {
  const tools = process.env['COACH_TOOLS'] || join(directory, 'cache');
  return dockerExecutor({
    host,
    imageCache: join(tools, 'images'),
    dependencyCache: join(tools, 'dependencies'),
    node: process.execPath,
    shim: shimFile,
  });
}

function dockerfileOf(bench: Bench): string {
  return join(bench.root, '.coach', 'tasks', 'prepared', 'median', 'environment', 'Dockerfile');
}

function useImage(bench: Bench, image: string): void {
  const file = dockerfileOf(bench);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/BASE_IMAGE=\S+/, `BASE_IMAGE=${image}`));
}

function containersOf(trialId: string): string[] {
  return execFileSync('docker', ['ps', '--all', '--quiet', '--filter', `label=coach.trial=${trialId}`], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter(Boolean);
}
