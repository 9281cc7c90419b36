import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { silentLog } from '../../server/base/log.ts';
import { validateTask } from '../../server/bench/validate.ts';
import { executorsOf } from '../../server/executors/index.ts';
import { withBundle } from '../../server/git/bundle.ts';
import { filesOf } from '../../server/git/tree.ts';
import { loadPreparedTask } from '../../server/tasks/format.ts';
import { importTask } from '../../server/tasks/transfer/importTask.ts';
import { aBench } from '../integration/benchFixture.ts';
import { testDockerExecutor } from '../integration/executorsFixture.ts';
import { foreignTasksContract } from '../integration/foreignTasksContract.ts';
import { requireFeature } from '../require.ts';
import { aRepository } from '../unit/git/aRepository.ts';
import { aHarborTask } from '../unit/tasks/transfer/foreignDirectories.ts';

const noProofs = { addProof: () => undefined, proofs: () => [] };

// What the other executor shows in every run of the tests.
describe.skipIf(!requireFeature('docker') || !requireFeature('slow'))('in containers, too', () => {
  foreignTasksContract({ name: 'docker', executors: () => [testDockerExecutor()], leftovers: () => [] });
});

describe.skipIf(!requireFeature('docker'))('in containers', () => {
  it('starts from what the image makes, not only from what is copied into it', { timeout: 180_000 }, async () => {
    const root = aRepository();
    const path = aHarborTask({
      'environment/Dockerfile':
        'FROM node:24-bookworm-slim\nWORKDIR /app\nCOPY seed/ ./\nRUN echo built > built.txt\nENV WORD="in the image"\n',
      'solution/solve.sh': '#!/bin/bash\nset -e\ncat built.txt && test "$WORD" = hello && echo hello > greeting.txt\n',
    });
    const signal = AbortSignal.timeout(170_000);
    const spec = { root, path, format: undefined, name: undefined, instance: undefined };
    const directory = await importTask(spec, systemClock, signal);
    const deps = {
      executors: executorsOf([testDockerExecutor()]),
      proofs: noProofs,
      clock: systemClock,
      log: silentLog,
    };
    expect(
      await validateTask(await loadPreparedTask(directory), { executor: 'docker', repeats: 1 }, deps, signal),
    ).toMatchObject({
      reference: 1,
    });
    const { bundle } = await loadPreparedTask(directory);
    const start = await withBundle(bundle, opened => filesOf(opened, opened.tree, signal));
    expect(start.map(file => file.path)).toEqual(['bin/say', 'built.txt', 'readme.txt']);
    expect(readFileSync(join(directory, 'solution/solution.patch'), 'utf8')).not.toContain('built.txt');
  });

  it('hands on what is left in /tmp, where it lasts', { timeout: 180_000 }, async () => {
    const bench = await aBench({ executors: () => [testDockerExecutor()] });
    onTestFinished(() => bench.dispose());
    const path = aHarborTask({
      'task.toml': `schema_version = "1.3"\nartifacts = ["/tmp/configured-artifact.txt"]\n[task]\nname = "acme/apart"\n[verifier]\nenvironment_mode = "separate"\n`,
      'tests/Dockerfile': 'FROM node:24-bookworm-slim\nWORKDIR /tests\n',
      'tests/test.sh':
        '#!/bin/bash\n. /tests/lib.sh\ngrep -q ok /tmp/configured-artifact.txt && [ ! -e /tmp/other.txt ] && give 1 || give 0\n',
      'solution/solve.sh': '#!/bin/bash\necho ok > /tmp/configured-artifact.txt\necho no > /tmp/other.txt\n',
    });
    const signal = AbortSignal.timeout(170_000);
    const spec = { root: bench.root, path, format: undefined, name: 'tmp', instance: undefined };
    const directory = await importTask(spec, systemClock, signal);
    const executors = executorsOf([testDockerExecutor()]);
    const deps = { executors, proofs: noProofs, clock: systemClock, log: silentLog };
    const how = { executor: 'docker', repeats: 1 };
    expect(await validateTask(await loadPreparedTask(directory), how, deps, signal)).toMatchObject({
      ...{ reference: 1, noOp: 0 },
    });
    const write = (text: string) => ['sh', '-c', `echo ${text} > /tmp/configured-artifact.txt`];
    const runId = await bench.run(
      [
        { id: 'oracle' },
        { id: 'command', label: 'good', command: write('ok') },
        { id: 'command', label: 'bad', command: write('so-so') },
      ],
      { tasks: ['tmp'], unproven: false },
    );
    await bench.service.finished(runId);
    expect(bench.store.trials(runId).map(trial => trial.reward)).toEqual([1, 1, 0]);
  });

  it('says which image can’t be had', { timeout: 180_000 }, async () => {
    const root = aRepository();
    const path = aHarborTask({ 'environment/Dockerfile': 'FROM registry.invalid/acme/base:1\nWORKDIR /app\n' });
    const signal = AbortSignal.timeout(170_000);
    const spec = { root, path, format: undefined, name: undefined, instance: undefined };
    const directory = await importTask(spec, systemClock, signal);
    const deps = {
      executors: executorsOf([testDockerExecutor()]),
      proofs: noProofs,
      clock: systemClock,
      log: silentLog,
    };
    await expect(
      validateTask(await loadPreparedTask(directory), { executor: 'docker', repeats: 1 }, deps, signal),
    ).rejects.toMatchObject({
      code: 'docker.imageMissing',
      message: expect.stringContaining('registry.invalid/acme/base:1'),
    });
  });
});
