import { silentLog } from '../../server/base/log.ts';
import { aBench } from './benchFixture.ts';
import { testDockerExecutor, testLocalExecutor } from './executorsFixture.ts';

/**
 * A server to be killed. In a new home it starts a run; in one that has a run it goes on with that. Prints `run <id>` when
 * there is one and `over` when it has ended, and leaves then.
 */
const { home, executor, command, attempts, retries, upstream } = JSON.parse(process.argv[2] ?? '{}') as {
  home: string;
  executor: 'docker' | 'local';
  command: string[];
  attempts: number;
  retries: number;
  /** Where its agents' model is. */
  upstream: string;
};
const sandboxes = executor === 'docker' ? testDockerExecutor() : testLocalExecutor(home);
const bench = await aBench({
  executors: () => [sandboxes],
  home,
  overrides: [{ host: 'api.openai.com', target: upstream }],
});
await bench.service.recover();
// As a server does: one of them also removes what lies in its home.
for (const swept of new Set([sandboxes, testLocalExecutor(home)])) await swept.sweep(silentLog);
const limits = { timeoutSec: 3600, maxTokens: null };
const begin = () => bench.run([{ id: 'command', command }], { attempts, retries, limits });
const runId = bench.store.list(1)[0]?.id ?? (await begin());
console.log(`run ${runId}`);
await bench.service.finished(runId);
console.log('over');
await bench.dispose();
process.exit(0);
