import { CoachError } from '../../protocol/errors.ts';
import type { TestVerdict } from '../../protocol/runs.ts';
import { addCost, addUsage, type Cost, noCost, noUsage, type Usage } from '../../protocol/usage.ts';
import type { ExpectedTests } from '../tasks/format.ts';
import type { TestOutcome } from './testReports.ts';

/** What came of the verifier's command. */
export interface VerifierRun {
  /** Null when it had to be killed at its time limit. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** Whether it printed anything. */
  readonly printed: boolean;
  /** Null when it left no report that can be read. */
  readonly outcomes: readonly TestOutcome[] | null;
}

export interface Verdict {
  readonly reward: number;
  readonly tests: readonly TestVerdict[];
}

/**
 * The verdict: 1 when every expected test passed, else 0. Exit codes and tests that nobody expects decide nothing.
 *
 * A test that is missing or skipped has not passed. When there is no report at all, the question is whose fault that is:
 * - the command could not be started (exit code 126 or 127), or ended without a word: the verifier is broken, and there is
 *   no verdict;
 * - the command ran (it printed something, was stopped at its time limit, or was killed) and wrote no report: the code under
 *   test broke or blocked it, since the reference solution once passed in the same place. All tests are missing: 0.
 * @throws CoachError `verifier.failed`
 */
export function judge(run: VerifierRun, expected: ExpectedTests): Verdict {
  const ids = [...expected.failToPass, ...expected.passToPass];
  if (ids.length === 0) {
    throw new CoachError('verifier.failed', 'The task expects no test, so nothing can be judged.', {
      hint: 'Run: codex-coach task validate, which finds out what its tests prove.',
    });
  }
  if (run.outcomes === null && !run.timedOut) {
    const notStarted = run.exitCode === 126 || run.exitCode === 127;
    const killed = run.exitCode === 137;
    if (notStarted || (!run.printed && !killed)) {
      throw new CoachError('verifier.failed', `The tests could not be run (exit code ${run.exitCode}, no report).`, {
        hint: 'Look at verifier/test-stdout.txt of the trial, and validate the task again.',
      });
    }
  }
  const found = new Map(run.outcomes?.map(outcome => [outcome.id, outcome]));
  const why = run.timedOut ? 'The tests did not end in time.' : null;
  const verdictOf = (id: string, kind: TestVerdict['expected']): TestVerdict => {
    const outcome = found.get(id);
    if (outcome === undefined) return { id, expected: kind, status: 'missing', message: why };
    return { id, expected: kind, status: outcome.status, message: outcome.message };
  };
  const tests = [
    ...expected.failToPass.map(id => verdictOf(id, 'failToPass')),
    ...expected.passToPass.map(id => verdictOf(id, 'passToPass')),
  ];
  return { reward: tests.every(test => test.status === 'passed') ? 1 : 0, tests };
}

/** Mean of the rewards there are; null when no trial reached a verdict. */
export function meanReward(rewards: readonly (number | null)[]): number | null {
  const reached = rewards.filter(reward => reward !== null);
  return reached.length === 0 ? null : reached.reduce((sum, reward) => sum + reward, 0) / reached.length;
}

/** Usage of several trials together. */
export function sumUsage(usages: readonly Usage[]): Usage {
  return usages.reduce(addUsage, noUsage);
}

/** Cost of several trials together. */
export function addCosts(costs: readonly Cost[]): Cost {
  return costs.reduce(addCost, noCost);
}
