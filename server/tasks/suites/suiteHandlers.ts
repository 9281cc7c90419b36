import type { Handlers } from '../../../protocol/api.ts';
import { type Suite, suites } from '../../../protocol/suites.ts';
import type { EventBus } from '../../base/bus.ts';
import { repositoryAt } from '../../git/repository.ts';
import { addToSuite, createSuite, deleteSuite, findSuite, listSuites, removeFromSuite } from './suites.ts';

/** Everything that can be asked of suites. All state lies in the repositories themselves. */
export function suiteHandlers({ bus }: { readonly bus: EventBus }): Handlers<typeof suites> {
  const rootOf = async (directory: string, signal: AbortSignal) => (await repositoryAt(directory, signal)).root;
  const changed = (suite: Suite) => {
    bus.publish(suites, 'changed', { repository: suite.repository });
    return suite;
  };
  return {
    list: async ({ repository }, signal) => ({ rows: await listSuites(await rootOf(repository, signal)) }),
    show: async ({ repository, suite }, signal) => findSuite(await rootOf(repository, signal), suite),
    create: async ({ repository, ...spec }, signal) =>
      changed(await createSuite(await rootOf(repository, signal), { ...spec, name: spec.name })),
    add: async ({ repository, suite, tasks }, signal) =>
      changed(await addToSuite(await rootOf(repository, signal), suite, tasks)),
    remove: async ({ repository, suite, tasks }, signal) =>
      changed(await removeFromSuite(await rootOf(repository, signal), suite, tasks)),
    async delete({ repository, suite }, signal) {
      const root = await rootOf(repository, signal);
      await deleteSuite(root, suite);
      bus.publish(suites, 'changed', { repository: root });
      return { deleted: suite };
    },
  };
}
