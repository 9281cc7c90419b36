import { describe } from 'vitest';
import { agentsContract } from '../integration/agentsContract.ts';
import type { BenchSubject } from '../integration/benchContract.ts';
import { testDockerExecutor } from '../integration/executorsFixture.ts';
import { requireFeature } from '../require.ts';

const docker: BenchSubject = { name: 'docker', executors: () => [testDockerExecutor()], leftovers: () => [] };

describe.skipIf(!requireFeature('docker'))('other agents', () => {
  agentsContract(docker, ['claude', 'gemini'], { deadModel: false });
});

describe.skipIf(!requireFeature('docker') || !requireFeature('slow'))('all other agents', () => {
  agentsContract(docker, ['claude', 'gemini', 'opencode', 'qwen']);
});
