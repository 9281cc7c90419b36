import { describe } from 'vitest';
import type { BenchSubject } from '../integration/benchContract.ts';
import { testDockerExecutor } from '../integration/executorsFixture.ts';
import { proofContract } from '../integration/proofContract.ts';
import { writtenTestsContract } from '../integration/writtenTestsContract.ts';
import { requireFeature } from '../require.ts';

const docker: BenchSubject = { name: 'docker', executors: () => [testDockerExecutor()], leftovers: () => [] };

describe.skipIf(!requireFeature('docker'))('in containers', () => {
  proofContract(docker);
  writtenTestsContract(docker, ['javascript']);
});
