import { describe } from 'vitest';
import { requireFeature } from '../require.ts';
import type { BenchSubject } from './benchContract.ts';
import { testLocalExecutor } from './executorsFixture.ts';
import { writtenTestsContract } from './writtenTestsContract.ts';

const local: BenchSubject = { name: 'local', executors: home => [testLocalExecutor(home)], leftovers: () => [] };

describe.skipIf(!requireFeature('sandbox'))('tests written in JavaScript', () => {
  writtenTestsContract(local, ['javascript']);
});

const otherLanguages = requireFeature('sandbox') && requireFeature('toolchains') && requireFeature('slow');
describe.skipIf(!otherLanguages)('tests written in other languages', () => {
  writtenTestsContract(local, ['python', 'go']);
});
