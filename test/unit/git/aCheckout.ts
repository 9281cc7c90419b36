import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { coachPaths } from '../../../server/base/paths.ts';
import { bundleOf, checkoutBundle } from '../../../server/git/bundle.ts';
import { repositoryAt } from '../../../server/git/repository.ts';
import { shadowOf, snapshot } from '../../../server/git/shadow.ts';
import { aDirectory } from './aRepository.ts';

/** A bundle of a repository as it is and a checkout of it, as an agent would get it. */
export async function aCheckout(root: string): Promise<{ bundle: string; dir: string }> {
  const repository = await repositoryAt(root);
  const shadow = await shadowOf(repository, coachPaths({ COACH_HOME: aDirectory('coach-home') }));
  const bundle = join(aDirectory(), 'start.bundle');
  await bundleOf(shadow, await snapshot(repository, shadow), bundle);
  const dir = join(aDirectory(), 'app');
  mkdirSync(dir);
  await checkoutBundle(bundle, dir);
  return { bundle, dir };
}
