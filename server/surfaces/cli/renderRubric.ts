import { toMoney, toReward } from '../../../protocol/figures.ts';
import type { CriterionVerdict } from '../../../protocol/rubric.ts';
import { type Regrade, runs, type StepRegrade, type TrialSummary } from '../../../protocol/runs.ts';
import { render } from './renderers.ts';
import { table } from './table.ts';

render(runs.members.regrade, ({ rows }) => {
  const flipped = rows.filter(row => row.before !== row.after);
  return [
    table(
      ['Trial', 'Before', 'Now', ''],
      rows.map(row => [row.trialId, toReward(row.before), toReward(row.after), noteOf(row)]),
      ['left', 'right', 'right', 'left'],
    ),
    ...rows.flatMap(({ trialId, flips }) =>
      flips.map(({ id, before, after }) => `${trialId}  ${id}: ${before ?? 'not judged'} → ${after ?? 'not judged'}`),
    ),
    ...rows.flatMap(({ trialId, steps = [] }) => steps.map(step => `${trialId}  step ${stepNote(step)}`)),
    `${flipped.length} of ${rows.length} verdicts flip.`,
  ].join('\n');
});

function noteOf({ error, before, after }: Regrade): string {
  return error?.message ?? (before === after ? '' : 'flipped');
}

function stepNote({ name, before, after, error }: StepRegrade): string {
  const now = after === null && error === null ? 'not reached' : toReward(after);
  return `${name}: ${toReward(before)} → ${now}${error === null ? '' : ` (${error.message})`}`;
}

/** How the rubric of a trial was judged, one line a criterion; nothing for a trial without one. */
export function rubricLines({ id, score }: TrialSummary): string[] {
  const rubric = score?.rubric ?? null;
  if (score === undefined || rubric === null) return [];
  const alone = score.weights.tests === 0 && score.weights.diff === 0 ? ', by its rubric alone, without tests' : '';
  const who = `${rubric.judge ?? 'no judge'}, ${rubric.votes} votes, ${toMoney(rubric.cost)}${alone}`;
  return [
    `Rubric of ${id}: ${toReward(rubric.share)} (${who})`,
    ...(rubric.error === null ? rubric.criteria.map(criterionLine) : [`  ${rubric.error.message}`]),
    ...rubric.leftOut.map(text => `  ${text}`),
  ];
}

function criterionLine({ id, verdict, agreement, votes }: CriterionVerdict): string {
  const evidence = votes.find(vote => vote.verdict === verdict && vote.evidence !== '')?.evidence.split('\n')[0];
  const agreed = agreement === null ? '' : `, agreement ${agreement.toFixed(2)}`;
  return `  ${verdict ?? 'open'}  ${id}${agreed}${evidence === undefined ? '' : `: “${evidence}”`}`;
}
