import { describe } from 'vitest';
import { requireFeature } from '../require.ts';
import type { BenchSubject } from './benchContract.ts';
import { testLocalExecutor } from './executorsFixture.ts';
import { type ProjectName, projectsContract } from './projectsContract.ts';

const local: BenchSubject = { name: 'local', executors: home => [testLocalExecutor(home)], leftovers: () => [] };

// Where there is an engine, the others have their turn in it.
const others: ProjectName[] = requireFeature('docker') ? [] : ['python', 'typescript', 'javascript'];

describe.skipIf(!requireFeature('sandbox') || !requireFeature('toolchains'))('tasks of other languages', () => {
  projectsContract(local, ['go', 'rust', ...others]);
});
