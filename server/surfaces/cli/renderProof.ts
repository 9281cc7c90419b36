import { toDuration, toReward } from '../../../protocol/figures.ts';
import { proofCaveat, type TaskProof } from '../../../protocol/tasks.ts';
import { formatTime, table } from './table.ts';

/** A task's proof: each check with what came of it, and the tests that count for nothing. */
export function proofText(proof: TaskProof): string {
  const { provenAt, executor, base, checks, quarantined } = proof;
  const caveat = proofCaveat(proof.basis);
  const rows = checks.map(check => [
    check.passed ? 'ok' : 'FAIL',
    check.title,
    toReward(check.reward),
    toDuration(check.durationMs),
    check.detail,
  ]);
  const isUnjudged = proof.basis === 'rubric' && proof.judge === undefined;
  const ends = isUnjudged
    ? []
    : [
        [proof.reference === 1 ? 'ok' : 'FAIL', 'the reference solution', toReward(proof.reference), '', ''],
        [proof.noOp === 0 ? 'ok' : 'FAIL', 'doing nothing', toReward(proof.noOp), '', ''],
      ];
  return [
    `Validated ${formatTime(provenAt)} (${executor}${base === null ? '' : `, on ${base.image} ${base.digest.slice(0, 19)}`})`,
    table(['', 'Check', 'Reward', 'Time', ''], [...ends, ...rows], ['left', 'left', 'right', 'right', 'left']),
    ...quarantined.map(({ id, history }) => `In quarantine, decides nothing: ${id} (${history.join(', ')})`),
    ...(caveat === null ? [] : [caveat]),
    ...(isUnjudged ? ['No judge was asked. Stronger: validate it with --judge <provider>/<model>.'] : []),
  ].join('\n');
}
