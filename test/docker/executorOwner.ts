import { startAndStay, testDockerExecutor } from '../integration/executorsFixture.ts';

const [, , home = '', name = ''] = process.argv;
await startAndStay(testDockerExecutor(), home, name);
