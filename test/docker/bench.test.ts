import { execFileSync } from 'node:child_process';
import { describe } from 'vitest';
import { type BenchSubject, benchContract } from '../integration/benchContract.ts';
import { cheatsContract } from '../integration/cheatsContract.ts';
import { testDockerExecutor } from '../integration/executorsFixture.ts';
import { requireFeature } from '../require.ts';

const docker: BenchSubject = {
  name: 'docker',
  executors: () => [testDockerExecutor()],
  leftovers: () => ownContainers(),
};

describe.skipIf(!requireFeature('docker'))('the bench', () => {
  benchContract(docker);
  cheatsContract(docker);
});

/** Containers that this process started; other tests may run beside it. */
function ownContainers(): string[] {
  const format = '{{.Names}} {{.Label "coach.owner"}}';
  return execFileSync('docker', ['ps', '--all', '--filter', 'label=coach.owner', '--format', format], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter(line => line.includes(`"pid":${process.pid},`));
}
