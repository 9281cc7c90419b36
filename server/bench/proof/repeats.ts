import { CoachError } from '../../../protocol/errors.ts';
import type { ProofCheck, QuarantinedTest } from '../../../protocol/tasks.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { runEach } from '../scheduler.ts';
import type { VerifierRun } from '../verifier/score.ts';
import { shuffledCommand } from './shuffle.ts';

/** How many sandboxes a validation uses at a time. */
export const provingConcurrency = 2;

/** One run of the verifier on the reference solution, by a task whose command may differ in its order. */
export type RunReference = (task: PreparedTask) => Promise<VerifierRun>;

export interface Repeats {
  readonly runs: readonly VerifierRun[];
  /** How the order was shuffled; null when it was not. */
  readonly means: string | null;
}

/**
 * Runs the tests on the reference solution again and again, each time in a fresh sandbox and in another order.
 * @throws CoachError `task.referenceFails` when one of the runs comes to no word at all
 */
export async function repeatReference(task: PreparedTask, times: number, run: RunReference): Promise<Repeats> {
  const runs: VerifierRun[] = [];
  const orders = Array.from({ length: times }, (_, index) => inOrder(task, index + 1));
  await runEach([...orders.entries()], provingConcurrency, async ([index, { variant }]) => {
    const found = await run(variant);
    if (found.outcomes === null && (found.reward ?? null) === null) throw noWord(task, index + 1, found);
    runs[index] = found;
  });
  return { runs, means: orders[0]?.means ?? null };
}

function inOrder(task: PreparedTask, seed: number): { variant: PreparedTask; means: string | null } {
  const { verifier } = task;
  if (verifier.kind !== 'tests') return { variant: task, means: null };
  const shuffled = shuffledCommand(verifier, task.tests.paths, seed);
  if (shuffled === null) return { variant: task, means: null };
  return { variant: { ...task, verifier: { ...verifier, command: shuffled.command } }, means: shuffled.means };
}

function noWord(task: PreparedTask, number: number, { timedOut, exitCode }: VerifierRun): CoachError {
  const how = timedOut ? 'did not end in time' : `left no report (exit code ${exitCode})`;
  return new CoachError(
    'task.referenceFails',
    `The reference solution of ${task.name} was judged once, but the tests ${how} when they ran again (repetition ${number}).`,
    { hint: 'They may depend on their order or on time. Mend tests/ of the task, then validate it once more.' },
  );
}

/** Tests that did not say the same in every run: they passed at least once, and once they did not. */
export function flickering(runs: readonly VerifierRun[]): QuarantinedTest[] {
  const byRun = runs.map(run => new Map(run.outcomes?.map(outcome => [outcome.id, outcome.status])));
  const ids = new Set(byRun.flatMap(run => [...run].filter(([, status]) => status === 'passed').map(([id]) => id)));
  return [...ids]
    .map(id => ({ id, history: byRun.map(run => run.get(id) ?? ('missing' as const)) }))
    .filter(({ history }) => history.some(status => status !== 'passed'));
}

/** What flickered in an earlier validation of the same task stays in quarantine: that it held still once proves little. */
export function withEarlier(
  found: readonly QuarantinedTest[],
  earlier: readonly QuarantinedTest[],
  runs: readonly VerifierRun[],
): QuarantinedTest[] {
  const historyOf = (id: string): QuarantinedTest['history'] =>
    runs.map(run => run.outcomes?.find(outcome => outcome.id === id)?.status ?? 'missing');
  const known = earlier.map(({ id, history }) => ({ id, history: [...history, ...historyOf(id)] }));
  return [...known, ...found.filter(({ id }) => known.every(other => other.id !== id))];
}

/** What the repetitions say, as a check of the proof. */
export function repeatCheck(
  { runs, means }: Repeats,
  quarantined: readonly QuarantinedTest[],
  durationMs: number,
): ProofCheck {
  const order = means === null ? 'in the same order' : `in shuffled order (${means})`;
  const quarantine = quarantined.length === 0 ? 'all agree' : `${quarantined.length} tests in quarantine`;
  return {
    ...{ id: 'repeats', title: 'the reference solution, run again', reward: null, passed: true, durationMs },
    detail: `${runs.length} more runs ${order}: ${quarantine}`,
  };
}
