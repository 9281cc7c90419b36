import { describe } from 'vitest';
import { agentsContract } from '../integration/agentsContract.ts';
import { testDockerExecutor } from '../integration/executorsFixture.ts';
import { requireFeature } from '../require.ts';

describe.skipIf(!requireFeature('docker'))('other agents', () => {
  agentsContract({ name: 'docker', executors: () => [testDockerExecutor()], leftovers: () => [] });
});
