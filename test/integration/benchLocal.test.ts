import { describe } from 'vitest';
import { requireFeature } from '../require.ts';
import { type BenchSubject, benchContract } from './benchContract.ts';
import { cheatsContract, naiveContract } from './cheatsContract.ts';
import { testLocalExecutor } from './executorsFixture.ts';

const local: BenchSubject = {
  name: 'local',
  executors: home => [testLocalExecutor(home)],
  leftovers: () => [],
};

naiveContract();

describe.skipIf(!requireFeature('sandbox'))('the bench', () => {
  benchContract(local);
  cheatsContract(local);
});
