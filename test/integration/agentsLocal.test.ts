import { describe } from 'vitest';
import { requireFeature } from '../require.ts';
import { agentsContract } from './agentsContract.ts';
import { testLocalExecutor } from './executorsFixture.ts';

describe.skipIf(!requireFeature('sandbox'))('other agents', () => {
  const local = { name: 'local', executors: (home: string) => [testLocalExecutor(home)], leftovers: () => [] };
  agentsContract(local, ['claude', 'gemini', 'opencode', 'qwen']);
});
