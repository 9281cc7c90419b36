import { describe } from 'vitest';
import type { BenchSubject } from '../integration/benchContract.ts';
import { cheatsPythonContract } from '../integration/cheatsPythonContract.ts';
import { testDockerExecutor } from '../integration/executorsFixture.ts';
import { projectsContract } from '../integration/projectsContract.ts';
import { requireFeature } from '../require.ts';

const docker: BenchSubject = { name: 'docker', executors: () => [testDockerExecutor()], leftovers: () => [] };

describe.skipIf(!requireFeature('docker'))('tasks of other languages', () => {
  cheatsPythonContract(docker);
  // The bases for Java and Rust are built once, of hundreds of packages.
  projectsContract(docker, ['python', 'go', 'typescript', 'javascript', 'java', 'rust']);
});
