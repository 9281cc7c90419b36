import { join } from 'node:path';
import { root } from '../scripts/root.ts';
import { createSampleRepository } from '../server/tasks/sampleProject.ts';
import { temporaryDirectory } from './temporary.ts';

/** The sample project as a repository of its own, gone with the test. */
export async function aSampleRepository(): Promise<string> {
  const repository = join(temporaryDirectory(), 'sample');
  await createSampleRepository(repository, join(root, 'media', 'sample'));
  return repository;
}
