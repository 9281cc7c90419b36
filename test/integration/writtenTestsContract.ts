import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { silentLog } from '../../server/base/log.ts';
import { prepareEnvironments } from '../../server/bench/environments.ts';
import { validateTask } from '../../server/bench/validate.ts';
import { judgeChange } from '../../server/bench/verifier/judgeChange.ts';
import { executorsOf } from '../../server/executors/index.ts';
import { loadPreparedTask } from '../../server/tasks/format.ts';
import { taskHandlers } from '../../server/tasks/handlers.ts';
import { aRepository, userGit, write } from '../unit/git/aRepository.ts';
import { taskDeps } from '../unit/tasks/aSession.ts';
import type { BenchSubject } from './benchContract.ts';
import { aBench, type Bench } from './benchFixture.ts';
import { type WritingProject, writingProjects } from './writingProjects.ts';

/** "Add the first unit test", in several languages; registered once per executor. */
export function writtenTestsContract(subject: BenchSubject, names: readonly string[]): void {
  describe(`tests that agents write, judged in ${subject.name} sandboxes`, () => {
    let bench: Bench;
    afterEach(() => bench.dispose());

    it.each(writingProjects.filter(({ name }) => names.includes(name)))(
      'are worth what they find in $name',
      { timeout: 900_000 },
      async project => {
        bench = await aBench({ executors: subject.executors });
        const signal = AbortSignal.timeout(880_000);
        const directory = await aWritingTask(project, signal);
        const executors = executorsOf(subject.executors(bench.home));
        const deps = { executors, proofs: bench.store, clock: systemClock, log: silentLog };
        const proof = await validateTask(
          await loadPreparedTask(directory),
          { executor: 'auto', repeats: 1 },
          deps,
          signal,
        );
        expect(proof).toMatchObject({ reference: 1, noOp: 0, basis: 'mutation' });

        const task = await loadPreparedTask(directory);
        if (task.verifier.kind !== 'mutation') throw new Error('Written tests are judged by mutants.');
        expect(task.verifier.mutants.length).toBeGreaterThanOrEqual(3);
        expect(new Set(task.verifier.mutants.map(({ file }) => file))).toEqual(new Set([project.source]));

        const environments = await prepareEnvironments([task], await executors.choose('auto'), silentLog, signal);
        const removals: Promise<void>[] = [];
        const to = {
          environment: environments.of(task),
          log: silentLog,
          onRemoval: (removal: Promise<void>) => void removals.push(removal),
        };
        for (const [what, { files, reward, why }] of Object.entries(project.changes)) {
          const { verdict } = await judgeChange(`written.${what}`, task, patchOf(project, files), to, signal);
          const found = verdict.tests.filter(test => test.expected === 'failToPass' && test.status === 'passed').length;
          expect(
            { what, reward: verdict.reward },
            `${what} found ${found}: ${JSON.stringify(verdict.tests.slice(0, 2))}`,
          ).toEqual({ what, reward });
          if (why !== undefined) expect(verdict.tests.map(test => test.message).join('\n')).toMatch(why);
        }
        await Promise.allSettled(removals);
      },
    );
  });
}

/** A prepared task made of the commit that brought the reference's tests. */
async function aWritingTask(project: WritingProject, signal: AbortSignal) {
  const root = aRepository(project.start);
  write(root, project.reference);
  userGit(root, 'add', '-A');
  userGit(root, 'commit', '-qm', `Add unit tests for ${project.source}, edge cases included`);
  const handlers = taskHandlers(taskDeps());
  const { task, notes } = await handlers.from({ repository: root, source: 'HEAD', labels: [] }, signal);
  expect(notes).toEqual([]);
  const prepared = await handlers.prepare({ repository: root, task: task.id, name: undefined }, signal);
  expect((await handlers.show({ repository: root, task: prepared.id }, signal)).kind).toBe('test-writing');
  return prepared.directory;
}

/** What an agent would leave that wrote these files. */
function patchOf(project: WritingProject, files: Readonly<Record<string, string>>): Buffer {
  const root = aRepository(project.start);
  write(root, files);
  userGit(root, 'add', '-A');
  return Buffer.from(userGit(root, 'diff', '--cached', '--binary'));
}
