import { CoachError } from '../../../protocol/errors.ts';
import type { Score, ScoreWeights } from '../../../protocol/rubric.ts';
import type { TestVerdict } from '../../../protocol/runs.ts';
import { addCost, addUsage, type Cost, noCost, noUsage, type Usage } from '../../../protocol/usage.ts';
import type { JudgedTests } from '../../tasks/format.ts';
import type { TestOutcome } from '../testReports/outcome.ts';

/** What came of the verifier's command. */
export interface VerifierRun {
  /** Null when it had to be killed at its time limit. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** What a verifier script wrote, in [0,1]; null when it wrote none, and where tests decide. */
  readonly reward?: number | null;
  /** Null when it left no report that can be read, and for a script. */
  readonly outcomes: readonly TestOutcome[] | null;
}

export interface Verdict {
  readonly reward: number;
  readonly tests: readonly TestVerdict[];
}

/**
 * The verdict: 1 when every expected test passed, else 0. A test that is missing or skipped has not passed, and tests that
 * nobody expects decide nothing. An exit code never makes a test pass; one that contradicts the report makes all fail.
 * @throws CoachError `verifier.failed` when no test is expected
 */
export function judge(run: VerifierRun, expected: JudgedTests): Verdict {
  const ids = [...expected.failToPass, ...expected.passToPass];
  if (ids.length === 0) {
    throw new CoachError('verifier.failed', 'The task expects no test, so nothing can be judged.', {
      hint: 'Run: codex-coach task validate, which finds out what its tests prove.',
    });
  }
  const found = new Map(run.outcomes?.map(outcome => [outcome.id, outcome]));
  const why = run.timedOut ? 'The tests did not end in time.' : null;
  const doubt = expected.exitsCleanly ? contradiction(run) : null;
  const verdictOf = (id: string, kind: TestVerdict['expected']): TestVerdict => {
    const outcome = found.get(id);
    if (outcome === undefined) return { id, expected: kind, status: 'missing', message: why };
    if (doubt !== null) return { id, expected: kind, status: 'failed', message: doubt };
    return { id, expected: kind, status: outcome.status, message: outcome.message };
  };
  const tests = [
    ...expected.failToPass.map(id => verdictOf(id, 'failToPass')),
    ...expected.passToPass.map(id => verdictOf(id, 'passToPass')),
  ];
  return toVerdict(tests);
}

/** The code under test may have rewritten the report; the exit code is that of a process that it does not run in. */
function contradiction({ outcomes, exitCode }: VerifierRun): string | null {
  if (exitCode === 0 || outcomes === null || outcomes.some(outcome => outcome.status === 'failed')) return null;
  return `The report names no failed test, but the test command ended with exit code ${exitCode}.`;
}

export function toVerdict(tests: readonly TestVerdict[]): Verdict {
  return { reward: tests.every(test => test.status === 'passed') ? 1 : 0, tests };
}

/** Where a task declares no weights, its tests are all. */
export const testsOnly: ScoreWeights = { tests: 1, rubric: 0, diff: 0 };

/** The parts of a score as numbers in [0,1]; null for one that there is none of. */
function partsOf({ tests, rubric, diff }: Score): Record<keyof ScoreWeights, number | null> {
  return { tests, rubric: rubric?.share ?? null, diff: diff?.similarity ?? null };
}

/** Mean of the parts by their weights, in [0,1]; null as soon as a part that weighs something is missing. */
export function weightedReward(score: Score): number | null {
  const parts = partsOf(score);
  let [sum, whole] = [0, 0];
  for (const part of ['tests', 'rubric', 'diff'] as const) {
    const weight = score.weights[part];
    const value = parts[part];
    if (weight === 0) continue;
    if (value === null) return null;
    sum += weight * value;
    whole += weight;
  }
  return whole === 0 ? null : sum / whole;
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
