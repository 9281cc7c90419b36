import { aBench } from './benchFixture.ts';
import { testLocalExecutor } from './executorsFixture.ts';

/** A server to be killed: starts a run whose agent never ends, and prints its home once the agent works. */
const bench = await aBench({ executors: home => [testLocalExecutor(home)] });
bench.bus.subscribe(({ payload }) => {
  if ((payload as { text?: string }).text?.includes('at work')) console.log(bench.home);
});
const command = ['sh', '-c', '(setsid sleep 8765 &); echo at work; sleep 8765'];
await bench.run([{ id: 'command', command }], { attempts: 2, concurrency: 1 });
