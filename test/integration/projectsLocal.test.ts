import { describe } from 'vitest';
import { requireFeature } from '../require.ts';
import type { BenchSubject } from './benchContract.ts';
import { testLocalExecutor } from './executorsFixture.ts';
import { projectsContract } from './projectsContract.ts';

const local: BenchSubject = { name: 'local', executors: home => [testLocalExecutor(home)], leftovers: () => [] };

describe.skipIf(!requireFeature('sandbox') || !requireFeature('toolchains'))('tasks of other languages', () => {
  projectsContract(local, ['python', 'go', 'typescript', 'rust', 'javascript']);
});
