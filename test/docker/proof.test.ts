import { describe } from 'vitest';
import { testDockerExecutor } from '../integration/executorsFixture.ts';
import { proofContract } from '../integration/proofContract.ts';
import { requireFeature } from '../require.ts';

describe.skipIf(!requireFeature('docker'))('in containers', () => {
  proofContract({ name: 'docker', executors: () => [testDockerExecutor()], leftovers: () => [] });
});
