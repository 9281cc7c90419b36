import { describe, expect, it } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { silentLog } from '../../server/base/log.ts';
import { validateTask } from '../../server/bench/validate.ts';
import { executorsOf } from '../../server/executors/index.ts';
import { loadPreparedTask } from '../../server/tasks/format.ts';
import { testDockerExecutor } from '../integration/executorsFixture.ts';
import { requireFeature } from '../require.ts';
import { aCreatedTask, library } from '../unit/tasks/aTask.ts';

const dockerfile = `FROM node:24-bookworm-slim
ENV GREETING=hello
COPY tools/greet.sh /usr/local/bin/greet
RUN chmod 755 /usr/local/bin/greet && useradd somebody
USER somebody
`;

/** It needs the program and the variable that only the Dockerfile puts there. */
const hiddenTest = `import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { greet } from '../src/sums.js';
test('greets', () => assert.equal(greet(), execFileSync('greet').toString()));
`;

describe.skipIf(!requireFeature('docker'))('a task in an environment that the user names', () => {
  it('is built from that Dockerfile, and proven in it', { timeout: 300_000 }, async () => {
    const signal = AbortSignal.timeout(290_000);
    const { root, handlers, task } = await aCreatedTask({
      files: { ...library, 'env/Dockerfile': dockerfile, 'tools/greet.sh': '#!/bin/sh\nprintf "$GREETING"\n' },
      change: {
        'src/sums.js': `${library['src/sums.js']}export const greet = () => process.env.GREETING;\n`,
        'test/greet.test.js': hiddenTest,
      },
    });
    const spec = { repository: root, task: task.id, name: undefined, dockerfile: 'env/Dockerfile' };
    const prepared = await handlers.prepare(spec, signal);
    const deps = {
      executors: executorsOf([testDockerExecutor()]),
      proofs: { addProof: () => undefined, proofs: () => [] },
      ...{ clock: systemClock, log: silentLog },
    };
    const loaded = await loadPreparedTask(prepared.directory);
    const proof = await validateTask(loaded, { executor: 'docker', repeats: 1 }, deps, signal);
    expect(proof).toMatchObject({ reference: 1, noOp: 0, base: { image: 'node:24-bookworm-slim' } });
    expect((await loadPreparedTask(prepared.directory)).verifier).toMatchObject({
      failToPass: ['test/greet.test.js > greets'],
      passToPass: ['test/add.test.js > adds'],
    });
  });
});
