import { execFileSync } from 'node:child_process';
import { describe } from 'vitest';
import type { BenchSubject } from '../integration/benchContract.ts';
import { testDockerExecutor } from '../integration/executorsFixture.ts';
import { proofContract } from '../integration/proofContract.ts';
import { readinessContract } from '../integration/readinessContract.ts';
import { writtenTestsContract } from '../integration/writtenTestsContract.ts';
import { requireFeature } from '../require.ts';

const docker: BenchSubject = { name: 'docker', executors: () => [testDockerExecutor()], leftovers: () => [] };

function presentImages(): string[] {
  const argv = ['image', 'ls', '--quiet', '--filter', 'label=coach.task=present-state'];
  return execFileSync('docker', argv, { encoding: 'utf8' }).split('\n').filter(Boolean);
}

describe.skipIf(!requireFeature('docker'))('in containers', () => {
  proofContract(docker);
  readinessContract({ ...docker, leftovers: presentImages });
});

describe.skipIf(!requireFeature('docker') || !requireFeature('slow'))('in containers, too', () => {
  writtenTestsContract(docker, ['javascript']);
});
