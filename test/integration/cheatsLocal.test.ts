import { describe } from 'vitest';
import { requireFeature } from '../require.ts';
import type { BenchSubject } from './benchContract.ts';
import { cheatsPythonContract, importedCheatsContract, naivePythonContract } from './cheatsPythonContract.ts';
import { testLocalExecutor } from './executorsFixture.ts';

const local: BenchSubject = { name: 'local', executors: home => [testLocalExecutor(home)], leftovers: () => [] };

describe.skipIf(!requireFeature('sandbox') || !requireFeature('toolchains'))('cheats of pytest', () => {
  naivePythonContract();
  cheatsPythonContract(local);
  importedCheatsContract(local);
});
