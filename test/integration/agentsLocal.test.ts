import { describe } from 'vitest';
import { requireFeature } from '../require.ts';
import { agentsContract } from './agentsContract.ts';
import { testLocalExecutor } from './executorsFixture.ts';

describe.skipIf(!requireFeature('sandbox'))('other agents', () => {
  agentsContract({ name: 'local', executors: home => [testLocalExecutor(home)], leftovers: () => [] });
});
