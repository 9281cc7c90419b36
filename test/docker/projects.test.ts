import { describe } from 'vitest';
import type { BenchSubject } from '../integration/benchContract.ts';
import { cheatsPythonContract } from '../integration/cheatsPythonContract.ts';
import { testDockerExecutor } from '../integration/executorsFixture.ts';
import { projectsContract } from '../integration/projectsContract.ts';
import { requireFeature } from '../require.ts';

const docker: BenchSubject = { name: 'docker', executors: () => [testDockerExecutor()], leftovers: () => [] };

describe.skipIf(!requireFeature('docker'))('tasks of other languages', () => {
  cheatsPythonContract(docker);
  // The base for Rust is larger than all the others together, and built like that for Go.
  projectsContract(docker, ['python', 'go', 'typescript', 'javascript']);
});
