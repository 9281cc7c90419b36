import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { silentLog } from '../../server/base/log.ts';
import { validateTask } from '../../server/bench/validate.ts';
import { executorsOf } from '../../server/executors/index.ts';
import { loadPreparedTask } from '../../server/tasks/format.ts';
import { taskHandlers } from '../../server/tasks/handlers.ts';
import { aCleanSession, sessionsOf, taskDeps } from '../unit/tasks/aSession.ts';
import type { BenchSubject } from './benchContract.ts';
import { aBench, type Bench } from './benchFixture.ts';
import { writeProject } from './projects.ts';

const projects = [
  ['python', 'tests/test_truncate.py', 'Add truncate(text, width, ending="..."), which cuts a text at a word.', 4],
  [
    'go',
    'example.com/textkit/columns',
    'Add Join in the directory columns: it lays out rows of cells under each other.',
    5,
  ],
  ['typescript', 'test/quantile.test.ts', 'Add quantile(values, share), interpolated between neighbours.', 3],
  ['rust', 'truncate > tests/truncate.rs', 'Add truncate(text, width, ending), which cuts a text at a word.', 3],
  ['java', 'textkit.TruncateTest', 'Add truncate(text, width, ending), which cuts a text at a word.', 3],
  ['javascript', 'test/quantile.js', 'Add quantile(values, share), interpolated between neighbours.', 3],
] as const;

export type ProjectName = (typeof projects)[number][0];

/** Libraries with a history, from a recorded change to a verdict; registered once per executor. */
export function projectsContract(subject: BenchSubject, names: readonly ProjectName[]): void {
  describe(`projects in ${subject.name} sandboxes`, () => {
    let bench: Bench;
    afterEach(() => bench.dispose());

    it.each(projects.filter(([name]) => names.includes(name)))(
      'captures, prepares, proves and judges a task in %s',
      { timeout: 1_200_000 },
      async (name, origin, prompt, newTests) => {
        bench = await aBench({ executors: subject.executors });
        const root = join(bench.home, name);
        const project = writeProject(name, root);
        expect(project.commits).toBeGreaterThanOrEqual(20);
        const signal = AbortSignal.timeout(1_180_000);
        const handlers = taskHandlers(taskDeps({ sessions: sessionsOf(aCleanSession(prompt)) }));
        await handlers.start({ repository: root, title: name, notes: '', labels: [] }, signal);
        project.addFeature();
        const created = await handlers.end({ repository: root, summary: '', labels: [] }, signal);
        const prepared = await handlers.prepare({ repository: root, task: created.id, name: undefined }, signal);

        const executors = executorsOf(subject.executors(bench.home));
        const deps = { executors, proofs: bench.store, clock: systemClock, log: silentLog };
        const how = { executor: 'auto', repeats: 3 };
        const proof = await validateTask(await loadPreparedTask(prepared.directory), how, deps, signal);
        expect(proof).toMatchObject({ reference: 1, noOp: 0, executor: subject.name });
        const { verifier } = await loadPreparedTask(prepared.directory);
        if (verifier.kind !== 'tests') throw new Error('A prepared task is judged by its tests.');
        expect(verifier.failToPass.filter(id => id.startsWith(`${origin} > `))).toHaveLength(newTests);
        expect(verifier.passToPass.length).toBeGreaterThanOrEqual(10);
        expect(verifier.mustFail.length).toBeGreaterThan(0);

        const runId = await bench.run([{ id: 'oracle' }, { id: 'nop' }], {
          repository: root,
          tasks: [prepared.id],
          unproven: false,
        });
        await bench.service.finished(runId);
        const trials = bench.store.trials(runId);
        expect(trials.map(trial => trial.error)).toEqual([null, null]);
        expect(Object.fromEntries(trials.map(trial => [trial.agentLabel, trial.reward]))).toEqual({
          oracle: 1,
          nop: 0,
        });
      },
    );
  });
}
