import { describe } from 'vitest';
import { requireFeature } from '../require.ts';
import type { BenchSubject } from './benchContract.ts';
import { testLocalExecutor } from './executorsFixture.ts';
import { proofContract } from './proofContract.ts';
import { readinessContract } from './readinessContract.ts';

describe.skipIf(!requireFeature('sandbox'))('locally', () => {
  const local: BenchSubject = { name: 'local', executors: home => [testLocalExecutor(home)], leftovers: () => [] };
  proofContract(local);
  readinessContract(local);
});
