import { describe } from 'vitest';
import type { BenchSubject } from '../integration/benchContract.ts';
import { cheatsPythonContract } from '../integration/cheatsPythonContract.ts';
import { testDockerExecutor } from '../integration/executorsFixture.ts';
import { projectsContract } from '../integration/projectsContract.ts';
import { requireFeature } from '../require.ts';

const docker: BenchSubject = { name: 'docker', executors: () => [testDockerExecutor()], leftovers: () => [] };

describe.skipIf(!requireFeature('docker'))('tasks of other languages', () => {
  projectsContract(docker, ['python', 'typescript', 'javascript']);
});

describe.skipIf(!requireFeature('docker') || !requireFeature('slow'))('more of them', () => {
  cheatsPythonContract(docker);
  // Their bases are made of hundreds of packages, and their compilers run in every sandbox. Local sandboxes prove Go and
  // Rust in every run of the suite.
  projectsContract(docker, ['go', 'java', 'rust']);
});
