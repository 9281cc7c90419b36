// What the server does for trials without any of them: looking through a cut-off run, preparing a second task.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBus } from '../server/base/bus.ts';
import { systemClock } from '../server/base/clock.ts';
import { exec } from '../server/base/exec.ts';
import { silentLog } from '../server/base/log.ts';
import { coachPaths } from '../server/base/paths.ts';
import { toSpec } from '../server/bench/environments.ts';
import { newTry } from '../server/bench/trials/tries.ts';
import { loadPreparedTask } from '../server/tasks/format.ts';
import { taskHandlers } from '../server/tasks/handlers.ts';
import type { SessionSource } from '../server/tasks/sessionSource.ts';
import { aBench } from '../test/integration/benchFixture.ts';
import { testDockerExecutor } from '../test/integration/executorsFixture.ts';
import { writeProject } from '../test/integration/projects.ts';
import { type Figure, median, toFigure } from './figure.ts';

const trialsInRun = 1000;
const rounds = 10;

/** From the start of a server until the first trial of a run that was cut off goes on, with 1,000 of them to look through. */
export async function measureScan(): Promise<Figure> {
  const bench = await aBench({ executors: () => [testDockerExecutor()] });
  const { service, store } = bench;
  try {
    const runId = await bench.run([{ id: 'nop' }], { attempts: trialsInRun, executor: 'docker' });
    await service.cancel(runId);
    const [last, ...others] = store.trials(runId).toReversed();
    if (last === undefined) throw new Error('The run has no trials.');
    for (const trial of others) {
      store.saveTrial({ ...trial, phase: 'done', end: 'verified', reward: 0 });
      const value = newTry(trial.id, store.tries(trial.id).length + 1, trial.finishedAt ?? '', null);
      store.saveTry({ ...value, end: 'verified', endedAt: trial.finishedAt });
    }
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      store.saveTrial({ ...last, phase: 'queued', end: null });
      store.setState(runId, 'running', null);
      const startedAt = performance.now();
      const goesOn = new Promise<void>(resolve => {
        const listening = bench.bus.subscribe(({ method, payload }) => {
          if (!method.endsWith('/progress') || (payload as { phase: string | null }).phase !== 'building') return;
          listening.dispose();
          resolve();
        });
      });
      await service.recover();
      await goesOn;
      times.push(performance.now() - startedAt);
      await service.finished(runId);
    }
    return toFigure({
      ...{ figure: `resume scan of ${trialsInRun} trials`, unit: 's', ours: median(times) / 1000 },
      ...{
        goal: 'at most 1 s (stretch 0.2)',
        reach: ours => ours <= 1,
        note: `${rounds} times, until a trial goes on`,
      },
    });
  } finally {
    await bench.dispose();
  }
}

const noSessions: SessionSource = {
  since: async () => [],
  isRecorded: async () => false,
  startCommit: async () => null,
  clean: () => Promise.reject(new Error('There are no sessions.')),
};

/** A task of a repository that has one already: sealed, and its environment ready for a trial. */
export async function measurePrepare(): Promise<Figure> {
  const scratch = mkdtempSync(join(tmpdir(), 'coach-perf-prepare-'));
  const signal = new AbortController().signal;
  const executor = testDockerExecutor();
  try {
    const root = join(scratch, 'python');
    const project = writeProject('python', root);
    const handlers = taskHandlers({
      ...{ paths: coachPaths({ COACH_HOME: join(scratch, 'home') }), bus: new EventBus(), clock: systemClock },
      ...{ log: silentLog, sessions: noSessions, validate: async () => undefined },
      runTests: async () => [],
      sample: { source: '', directory: scratch },
    });
    const title = 'Add truncate(text, width, ending="..."), which cuts a text at a word';
    await handlers.start({ repository: root, title, notes: '', labels: [] }, signal);
    project.addFeature();
    const created = await handlers.end({ repository: root, summary: '', labels: [] }, signal);
    const times: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const startedAt = performance.now();
      const name = `round-${process.pid}-${round}`;
      const prepared = await handlers.prepare({ repository: root, task: created.id, name }, signal);
      await executor.prepare(toSpec(await loadPreparedTask(prepared.directory)), silentLog, signal);
      times.push(performance.now() - startedAt);
    }
    return toFigure({
      ...{ figure: 'second prepare of a task of the same repository', unit: 's', ours: median(times.slice(1)) / 1000 },
      ...{ goal: 'at most 5 s (stretch 2)', reach: ours => ours <= 5 },
      note: `${rounds} tasks after a first one of ${((times[0] ?? 0) / 1000).toFixed(1)} s, sealed, checked for leaks, image built`,
    });
  } finally {
    const images = Array.from({ length: rounds + 1 }, (_, round) => `codex-coach/task-round-${process.pid}-${round}`);
    await removeImages(images);
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function removeImages(repositories: readonly string[]): Promise<void> {
  for (const repository of repositories) {
    const env = process.env;
    const { stdout } = await exec({ argv: ['docker', 'image', 'ls', '--quiet', repository], env });
    const ids = stdout.toString().split('\n').filter(Boolean);
    if (ids.length > 0) await exec({ argv: ['docker', 'image', 'rm', '--force', ...ids], env });
  }
}
