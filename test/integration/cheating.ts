import { systemClock } from '../../server/base/clock.ts';
import { silentLog } from '../../server/base/log.ts';
import { validateTask } from '../../server/bench/validate.ts';
import { executorsOf } from '../../server/executors/index.ts';
import { loadPreparedTask } from '../../server/tasks/format.ts';
import type { BenchSubject } from './benchContract.ts';
import type { Bench } from './benchFixture.ts';

/** The proof of a prepared task, and its verifier as the proof has left it. */
export async function prove(bench: Bench, subject: BenchSubject, directory: string, signal: AbortSignal) {
  const executors = executorsOf(subject.executors(bench.home));
  const deps = { executors, proofs: bench.store, clock: systemClock, log: silentLog };
  const options = { executor: 'auto', repeats: 1 } as const;
  const proof = await validateTask(await loadPreparedTask(directory), options, deps, signal);
  return { proof, verifier: (await loadPreparedTask(directory)).verifier };
}

/** What agents earn on proven tasks, by their label. */
export async function earnings(bench: Bench, ...[agents, options]: Parameters<Bench['run']>) {
  const runId = await bench.run(agents, { ...options, unproven: false });
  await bench.service.finished(runId);
  const trials = bench.store.trials(runId);
  return { trials, rewards: Object.fromEntries(trials.map(trial => [trial.agentLabel, trial.reward])) };
}
