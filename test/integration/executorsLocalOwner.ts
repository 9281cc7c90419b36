import { startAndStay, testLocalExecutor } from './executorsFixture.ts';

const [, , home = '', name = ''] = process.argv;
await startAndStay(testLocalExecutor(home), home, name);
