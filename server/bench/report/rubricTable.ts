import { plural, toMoney, toReward } from '../../../protocol/figures.ts';
import type { CriterionVerdict, RubricVerdict, ScoreWeights } from '../../../protocol/rubric.ts';
import { addCosts } from '../verifier/score.ts';
import { toMarkup } from './escape.ts';
import type { JudgedTrial, ReportModel } from './model.ts';

/** What judges said of rubrics: criteria by agent, how far the votes agree, and each verdict with its evidence. */
export function rubricTable({ rubrics, agents }: ReportModel): string {
  if (rubrics.length === 0) return '';
  const labels = agents.map(({ label }) => label).filter(label => rubrics.some(({ agent }) => agent === label));
  const heads = labels.map(label => `<th class="num name">${toMarkup(label)}</th>`).join('');
  const criteria = new Map(
    rubrics.flatMap(trial => trial.rubric.criteria.map(each => [keyOf(trial, each), { trial, each }])),
  );
  const rows = [...criteria.values()].map(({ trial, each }) => {
    const cells = labels.map(label => `<td class="num">${metBy(label, trial.task, each, rubrics)}</td>`).join('');
    const agreed = agreementOn(trial.task, each, rubrics);
    return `<tr><th scope="row">${toMarkup(trial.task)}</th><td>${toMarkup(each.text)}</td><td class="num">${each.weight}</td>
${cells}<td class="num">${toReward(agreed)}</td></tr>`;
  });
  return `<table><thead><tr><th>Task</th><th>Criterion</th><th class="num">Weight</th>${heads}
<th class="num">Agreement</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>
<p class="cap">Trials that meet the criterion, of those with a verdict on it. Agreement is the share of the judge’s valid votes that say the same. ${toMarkup(told(rubrics))}</p>
<details><summary>Every verdict with its evidence</summary>${evidenceTable(rubrics)}</details>`;
}

function keyOf({ task }: JudgedTrial, { id, text }: CriterionVerdict): string {
  return JSON.stringify([task, id, text]);
}

function verdictsOn(task: string, { id, text }: CriterionVerdict, rubrics: readonly JudgedTrial[]) {
  return rubrics
    .filter(trial => trial.task === task)
    .flatMap(({ agent, rubric }) =>
      rubric.criteria.filter(each => each.id === id && each.text === text).map(each => ({ agent, each })),
    );
}

function metBy(label: string, task: string, criterion: CriterionVerdict, rubrics: readonly JudgedTrial[]): string {
  const own = verdictsOn(task, criterion, rubrics).filter(
    ({ agent, each }) => agent === label && each.verdict !== null,
  );
  return own.length === 0 ? '–' : `${own.filter(({ each }) => each.verdict === 'met').length} of ${own.length}`;
}

function agreementOn(task: string, criterion: CriterionVerdict, rubrics: readonly JudgedTrial[]): number | null {
  const known = verdictsOn(task, criterion, rubrics).flatMap(({ each }) => each.agreement ?? []);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Who judged, what it cost apart from the agents, and what a reward is made of. */
function told(rubrics: readonly JudgedTrial[]): string {
  const judges = [...new Set(rubrics.map(({ rubric }) => rubric.judge ?? 'no judge'))];
  const votes = [...new Set(rubrics.map(({ rubric }) => rubric.votes))];
  const weights = new Map(rubrics.map(trial => [trial.task, weightsText(trial.weights)]));
  const open = rubrics.filter(({ rubric }) => rubric.share === null);
  const why = [...new Set(open.flatMap(({ rubric }) => rubric.error?.message ?? []))];
  return [
    `Judged by ${judges.join(', ')}, ${votes.join(' or ')} votes a criterion, for ${toMoney(addCosts(rubrics.map(({ rubric }) => rubric.cost)))} beside the agents’ cost.`,
    ...[...weights].map(([task, text]) => `${task}: ${text}.`),
    ...(open.length === 0
      ? []
      : [`${open.length} ${plural(open.length, 'trial')} without a verdict of the judge: ${why.join(' ')}`]),
  ].join(' ');
}

function weightsText(weights: ScoreWeights): string {
  if (weights.tests === 0 && weights.diff === 0) return 'scored by its rubric alone, without tests';
  const parts = (['tests', 'rubric', 'diff'] as const).filter(part => weights[part] > 0);
  return `the reward weighs ${parts.map(part => `${part} ${weights[part]}`).join(', ')}`;
}

function evidenceTable(rubrics: readonly JudgedTrial[]): string {
  const rows = rubrics.flatMap(({ trial, rubric }) => [
    ...rubric.criteria.map(
      each => `<tr><th scope="row">${toMarkup(trial)}</th><td>${toMarkup(each.id)}</td><td class="${classOf(each)}">${each.verdict ?? 'open'}</td>
<td class="num">${toReward(each.agreement)}</td><td><code>${toMarkup(evidenceOf(each))}</code></td></tr>`,
    ),
    ...leftOutRow(trial, rubric),
  ]);
  return `<table><thead><tr><th>Trial</th><th>Criterion</th><th>Verdict</th><th class="num">Agreement</th>
<th>Evidence</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

function leftOutRow(trial: string, { leftOut }: RubricVerdict): string[] {
  if (leftOut.length === 0) return [];
  return [
    `<tr><th scope="row">${toMarkup(trial)}</th><td colspan="4" class="warn">${toMarkup(leftOut.join(' '))}</td></tr>`,
  ];
}

function classOf({ verdict }: CriterionVerdict): string {
  return verdict === 'met' ? 'ok' : 'warn';
}

/** A quote that the verdict rests on; without one, why the votes are void. */
function evidenceOf({ verdict, votes }: CriterionVerdict): string {
  const quoted = votes.find(vote => vote.verdict === verdict && vote.evidence !== '')?.evidence;
  return quoted ?? votes.find(vote => vote.void !== null)?.void ?? '';
}
