import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { silentLog } from '../../server/base/log.ts';
import { exportRun } from '../../server/bench/transfer/exportRun.ts';
import { validateTask } from '../../server/bench/validate.ts';
import { executorsOf } from '../../server/executors/index.ts';
import { loadPreparedTask } from '../../server/tasks/format.ts';
import { importTask } from '../../server/tasks/transfer/importTask.ts';
import { requireFeature } from '../require.ts';
import { aBench, type Bench } from './benchFixture.ts';
import { runGit, testLocalExecutor, writeFiles } from './executorsFixture.ts';
import { foreignTasksContract } from './foreignTasksContract.ts';

/** The sandbox has the system's Python, whichever comes first elsewhere. */
const hasPytest = spawnSync('/usr/bin/python3', ['-m', 'pytest', '--version']).status === 0;

let bench: Bench | null = null;
afterEach(async () => {
  await bench?.dispose();
  bench = null;
});

/** A row made of two commits of the repository, the second of which is the solution with its tests. */
function writeInstance(root: string): string {
  const commit = (message: string, files: Record<string, string>) => {
    writeFiles(root, files);
    runGit(root, 'add', '--all');
    runGit(root, 'commit', '--quiet', '--message', message);
    return runGit(root, 'rev-parse', 'HEAD').trim();
  };
  const test = (name: string) =>
    `def test_${name}():\n    from sums import ${name}\n    assert ${name}(3, 2) in (5, 1)\n`;
  const base = commit('Before', { 'sums.py': 'def add(a, b):\n    return a + b\n', 'test_sums.py': test('add') });
  commit('After', {
    'sums.py': 'def add(a, b):\n    return a + b\n\n\ndef take(a, b):\n    return a - b\n',
    'test_sums.py': `${test('add')}\n\n${test('take')}`,
  });
  const file = join(root, '..', 'instance.jsonl');
  const row = {
    repo: 'acme/sums',
    instance_id: 'acme__sums-7',
    base_commit: base,
    patch: runGit(root, 'diff', base, 'HEAD', '--', 'sums.py'),
    test_patch: runGit(root, 'diff', base, 'HEAD', '--', 'test_sums.py'),
    problem_statement: 'Subtract.',
    FAIL_TO_PASS: ['test_sums.py::test_take'],
    PASS_TO_PASS: '["test_sums.py::test_add"]',
  };
  writeFileSync(file, JSON.stringify(row));
  return file;
}

describe.skipIf(!requireFeature('sandbox'))('locally', () => {
  foreignTasksContract({ name: 'local', executors: home => [testLocalExecutor(home)], leftovers: () => [] });

  it.skipIf(!hasPytest)('proves, runs and reports a SWE-bench instance', { timeout: 180_000 }, async () => {
    const executors = (home: string) => [testLocalExecutor(home)];
    bench = await aBench({ executors });
    const { root } = bench;
    const signal = AbortSignal.timeout(170_000);
    const path = writeInstance(root);
    const spec = { root, path, format: undefined, name: 'sums', instance: undefined };
    const directory = await importTask(spec, systemClock, signal);
    const deps = {
      executors: executorsOf(executors(bench.home)),
      proofs: bench.store,
      clock: systemClock,
      log: silentLog,
    };
    const task = await loadPreparedTask(directory);
    expect(await validateTask(task, { executor: 'auto', repeats: 1 }, deps, signal)).toMatchObject({
      reference: 1,
      noOp: 0,
    });
    const shell = (label: string, script: string) => ({ id: 'command', label, command: ['sh', '-c', script] });
    const take = 'printf "\\ndef take(a, b):\\n    return a - b\\n" >> sums.py';
    const forge = `cat > conftest.py <<'END'
import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    result = yield
    result.get_result().outcome = "passed"
END`;
    const runId = await bench.run(
      [
        { id: 'oracle' },
        { id: 'nop' },
        shell('forger', forge),
        shell('tester', `${take} && echo 'def test_mine(): pass' > test_sums.py`),
      ],
      { tasks: ['sums'], unproven: false },
    );
    const run = await bench.service.finished(runId);
    const trials = bench.store.trials(runId);
    expect(trials.map(trial => trial.reward)).toEqual([1, 0, 0, 1]);
    const output = join(root, '..', 'swe');
    await exportRun({ run, trials, taskOf: () => loadPreparedTask(directory) }, 'swe-bench', output);
    const place = join(output, 'logs/run_evaluation', `${runId}-1`, 'oracle', 'acme__sums-7');
    expect(JSON.parse(readFileSync(join(place, 'report.json'), 'utf8'))['acme__sums-7']).toMatchObject({
      resolved: true,
      tests_status: {
        FAIL_TO_PASS: { success: ['test_sums.py::test_take'], failure: [] },
        PASS_TO_PASS: { success: ['test_sums.py::test_add'], failure: [] },
      },
    });
  });
});
