import { describe } from 'vitest';
import { requireFeature } from '../require.ts';
import { benchContract } from './benchContract.ts';
import { testLocalExecutor } from './executorsFixture.ts';

describe.skipIf(!requireFeature('sandbox'))('the bench', () => {
  benchContract({
    name: 'local',
    executors: home => [testLocalExecutor(home)],
    leftovers: () => [],
  });
});
