// What a trial costs besides its agent and its tests, beside a plain `docker run` of the same work.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exec } from '../server/base/exec.ts';
import { aBench, type Bench, solutionLine } from '../test/integration/benchFixture.ts';
import { testDockerExecutor } from '../test/integration/executorsFixture.ts';
import { type Figure, median, quantile, toFigure } from './figure.ts';
import { measurePrepare, measureScan } from './trialServices.ts';

const trialsPerLevel = 32;
/** Published by the harness's own results of 2,371 public trials; not measured here. */
const published = { 'Terminal-Bench harness, published p50': 21.9, 'Terminal-Bench harness, published p90': 91.7 };

/** Prints when it begins and ends, so that what lies around it is told apart from what it does. */
const timed = (work: string) => `echo begins $(date +%s%N); ${work}; code=$?; echo ends $(date +%s%N); exit $code`;
const agent = timed(`sleep 0.5; echo '${solutionLine}' > src/median.js`);
const report = '--test-reporter=junit --test-reporter-destination=/logs/verifier/junit.xml';
const tests = timed(`node --test ${report} test/add.test.js test/median.test.js`);

interface Overheads {
  /** Wall time less agent and tests, in ms. */
  readonly around: number[];
  /** From the agent's work being safe to its sandbox being out of the way of the verifier, in ms. */
  readonly teardown: number[];
}

export async function measureTrials(): Promise<Figure[]> {
  const bench = await aBench({ executors: () => [testDockerExecutor()], task: { command: tests } });
  try {
    await runTrials(bench, 1);
    const image = await newestImage();
    const figures: Figure[] = [];
    for (const parallel of [1, 4]) {
      const ours: Overheads = { around: [], teardown: [] };
      const plain: number[] = [];
      // Interleaved, so that both meet the same noise.
      for (let done = 0; done < trialsPerLevel; done += parallel) {
        const measured = await runTrials(bench, parallel);
        ours.around.push(...measured.around);
        ours.teardown.push(...measured.teardown);
        plain.push(...(await Promise.all(Array.from({ length: parallel }, () => plainRun(bench, image)))));
      }
      figures.push(...figuresOf(ours, plain, parallel));
    }
    return [...figures, await measureScan(), await measurePrepare()];
  } finally {
    await bench.dispose();
  }
}

function figuresOf({ around, teardown }: Overheads, plain: readonly number[], parallel: number): Figure[] {
  const level = `${parallel} at a time`;
  const note = `${around.length} trials of a scripted agent, warm; peers named as published were not measured here`;
  const of = (share: number) => ({
    ours: quantile(around, share) / 1000,
    peers: { 'docker run': quantile(plain, share) / 1000, ...published },
  });
  return [
    toFigure({
      ...{ figure: `overhead of a trial, p50, ${level}`, unit: 's', ...of(0.5), note },
      ...{ goal: 'at most 2 s (stretch 1)', reach: ours => ours <= 2 },
    }),
    toFigure({
      ...{ figure: `overhead of a trial, p95, ${level}`, unit: 's', ...of(0.95), note },
      ...{ goal: 'at most 5 s (stretch 1)', reach: ours => ours <= 5 },
    }),
    toFigure({
      ...{ figure: `teardown on the critical path, ${level}`, unit: 's', ours: median(teardown) / 1000 },
      ...{ goal: 'at most 0.2 s (stretch 0)', reach: ours => ours <= 0.2 },
    }),
  ];
}

/** One run of so many trials at the same time. */
async function runTrials(bench: Bench, parallel: number): Promise<Overheads> {
  const choice = { id: 'command', command: ['sh', '-c', agent] };
  const more = { attempts: parallel, concurrency: parallel, executor: 'docker' };
  const runId = await bench.run([choice], more);
  await bench.service.finished(runId);
  const trials = bench.store.trials(runId);
  const events = bench.store.events(runId, 0, 5000);
  return {
    around: trials.map(({ directory, startedAt, finishedAt, reward }) => {
      if (reward !== 1) throw new Error(`A trial of ${runId} came to reward ${reward}.`);
      const inside = ['agent/stdout.jsonl', 'verifier/test-stdout.txt'].map(name =>
        insideMs(readFileSync(join(directory, name), 'utf8')),
      );
      return Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '') - inside.reduce((sum, ms) => sum + ms, 0);
    }),
    teardown: trials.map(({ id }) => {
      const own = events.filter(event => event.trialId === id);
      const at = (wanted: (event: (typeof own)[number]) => boolean) => Date.parse(own.find(wanted)?.at ?? '');
      return at(event => event.phase === 'verifying') - at(event => event.text === 'Tokens of the agent.');
    }),
  };
}

/** The same work without us: agent, hidden tests, tests in one container. Its wall time less the work, in ms. */
async function plainRun({ root }: Bench, image: string): Promise<number> {
  const hidden = join(root, '.coach', 'tasks', 'prepared', 'median', 'tests', 'files');
  const script = `cd /app && (${agent}); cp -r /hidden/. . && mkdir -p /logs/verifier; (${tests})`;
  const startedAt = performance.now();
  const argv = [
    'docker',
    'run',
    '--rm',
    '--network',
    'none',
    '-v',
    `${hidden}:/hidden:ro`,
    image,
    'sh',
    '-c',
    script,
  ] as const;
  const { exitCode, stdout, stderr } = await exec({ argv: [...argv], env: process.env });
  if (exitCode !== 0) throw new Error(`docker run ended with ${exitCode}: ${stderr.toString()}`);
  return performance.now() - startedAt - insideMs(stdout.toString());
}

/** Between each `begins` and the `ends` after it, in ms. */
function insideMs(output: string): number {
  const times = [...output.matchAll(/^(begins|ends) (\d+)$/gm)].map(([, , ns]) => Number(ns) / 1e6);
  return times.reduce((sum, time, index) => (index % 2 === 0 ? sum - time : sum + time), 0);
}

async function newestImage(): Promise<string> {
  const format = '{{.Repository}}:{{.Tag}}';
  const argv = ['docker', 'image', 'ls', '--filter', 'label=coach.task=median', '--format', format] as const;
  const { stdout } = await exec({ argv: [...argv], env: process.env });
  const [image] = stdout.toString().split('\n');
  if (image === undefined || image === '') throw new Error('There is no image of the task to compare with.');
  return image;
}
