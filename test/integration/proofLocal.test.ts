import { describe } from 'vitest';
import { requireFeature } from '../require.ts';
import { testLocalExecutor } from './executorsFixture.ts';
import { proofContract } from './proofContract.ts';

describe.skipIf(!requireFeature('sandbox'))('locally', () => {
  proofContract({ name: 'local', executors: home => [testLocalExecutor(home)], leftovers: () => [] });
});
