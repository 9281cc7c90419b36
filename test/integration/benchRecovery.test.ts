import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { silentLog } from '../../server/base/log.ts';
import { runHandlers } from '../../server/bench/handlers.ts';
import { RunStore } from '../../server/bench/runs/runStore.ts';
import { executorsOf } from '../../server/executors/index.ts';
import { loadPreparedTask } from '../../server/tasks/format.ts';
import { preparedDirectory } from '../../server/tasks/places.ts';
import { processesWith } from '../processes.ts';
import { requireFeature } from '../require.ts';
import { aBench, type Bench, solutionLine, startFiles } from './benchFixture.ts';
import { temporaryDirectory, testLocalExecutor } from './executorsFixture.ts';
import { killAgainAndAgain } from './killedRun.ts';

const signal = new AbortController().signal;

describe.skipIf(!requireFeature('sandbox'))('a server that was killed in the middle of a run', () => {
  it('leaves a run with which the next server goes on, and nothing else', async () => {
    const script = fileURLToPath(new URL('./benchKilled.ts', import.meta.url));
    const directory = temporaryDirectory('killed');
    const server = spawn(process.execPath, [script], {
      env: { ...process.env, TMPDIR: directory.path },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const home = await new Promise<string>(resolve =>
      server.stdout.once('data', chunk => resolve(String(chunk).trim())),
    );
    server.kill('SIGKILL');
    await new Promise(resolve => server.once('exit', resolve));
    const executor = testLocalExecutor(home);
    const bench = await aBench({ executors: () => [executor], home });
    const again = nextPhase(bench, 'agent');
    await bench.service.recover();
    await executor.sweep(silentLog);
    const [run] = bench.store.list(1);
    expect(run?.state).toBe('running');
    const id = run?.id ?? '';
    await again;
    expect(bench.store.tries(`${id}.1`).map(({ number, end }) => [number, end])).toEqual([
      [1, 'lost'],
      [2, null],
    ]);
    await bench.service.cancel(id);
    expect(bench.store.run(id)).toMatchObject({ state: 'cancelled', trialCounts: { total: 2, done: 2, errored: 0 } });
    await expect.poll(() => processesWith('sleep 8765'), { timeout: 2000 }).toEqual([]);
    expect(readdirSync(join(home, 'workspaces'))).toEqual([]);
    await bench.dispose();
    directory.dispose();
  });
});

describe.skipIf(!requireFeature('sandbox'))('a run whose server is killed again and again', () => {
  it('comes to one verdict per trial, each agent begun once per try, and leaves nothing', async () => {
    const run = await killAgainAndAgain({ executor: 'local', kills: 5, attempts: 4 });
    expect(run).toMatchObject({ trials: 4, wrong: [], twice: [], left: { processes: [], directories: [] } });
  }, 300_000);
});

/** Resolves when any trial comes to a phase. */
function nextPhase({ bus }: Bench, wanted: string): Promise<void> {
  return new Promise(resolve => {
    bus.subscribe(({ method, payload }) => {
      if (method.endsWith('/progress') && (payload as { phase: string }).phase === wanted) resolve();
    });
  });
}

describe.skipIf(!requireFeature('sandbox'))('looking at a run', () => {
  let bench: Bench;
  afterEach(() => bench.dispose());

  it('answers its diff, its files on each side, its journal and its report', async () => {
    bench = await aBench({ executors: home => [testLocalExecutor(home)] });
    const { service, store, root } = bench;
    const handlers = runHandlers({
      ...{ service, store, executors: executorsOf([]), clock: systemClock, log: silentLog, ...bench.judging },
      repositoryRoot: async directory => directory,
      loadTask: (repository, name) => loadPreparedTask(join(preparedDirectory(repository), name)),
    });
    const command = ['sh', '-c', 'mkdir -p src; echo mine > src/median.js; rm src/add.js'];
    const runId = await bench.run([{ id: 'command', command }]);
    await service.finished(runId);
    const trialId = `${runId}.1`;
    expect((await handlers.list({ repository: root, limit: 5 }, signal)).rows[0]?.id).toBe(runId);
    expect((await handlers.show({ runId }, signal)).trials).toHaveLength(1);
    expect((await handlers.events({ runId, after: 2, limit: 1 }, signal)).events[0]?.seq).toBe(3);
    expect((await handlers.diff({ trialId }, signal)).files).toEqual([
      { path: 'src/add.js', status: 'deleted', binary: false },
      { path: 'src/median.js', status: 'added', binary: false },
    ]);
    const content = async (side: 'start' | 'agent' | 'reference', path: string) => {
      const { contentBase64 } = await handlers.file({ trialId, side, path }, signal);
      return contentBase64 === null || contentBase64 === undefined
        ? null
        : Buffer.from(contentBase64, 'base64').toString();
    };
    expect(await content('start', 'src/add.js')).toBe(startFiles['src/add.js']);
    expect(await content('agent', 'src/add.js')).toBeNull();
    expect(await content('agent', 'src/median.js')).toBe('mine\n');
    expect(await content('reference', 'src/median.js')).toBe(`${solutionLine}\n`);
    expect(await content('reference', 'test/median.test.js')).toBeNull();
    expect((await handlers.report({ format: 'html', runId }, signal)).file).toMatch(/report\.html$/);
    await expect(handlers.cancel({ runId }, signal)).resolves.toMatchObject({ state: 'finished' });
    await expect(async () => handlers.show({ runId: 'none' }, signal)).rejects.toMatchObject({ code: 'run.missing' });
    await expect(handlers.diff({ trialId: 'none' }, signal)).rejects.toMatchObject({ code: 'trial.missing' });
  });

  it('keeps its journal and summaries in a database that a second reader can open meanwhile', async () => {
    bench = await aBench({ executors: home => [testLocalExecutor(home)] });
    const runId = await bench.run([{ id: 'nop' }]);
    const other = new RunStore(join(bench.home, 'coach.sqlite3'), systemClock);
    await bench.service.finished(runId);
    expect(other.run(runId)?.state).toBe('finished');
    other.dispose();
  });
});
