import { toReward } from '../../../protocol/figures.ts';
import { toMarkup } from './escape.ts';
import type { ReportModel } from './model.ts';

/** Verdicts that were not reached by running a trial of this run: taken from an earlier one, or given anew to what it left. */
export function originsTable({ reused, regraded }: Pick<ReportModel, 'reused' | 'regraded'>): string {
  if (reused.length + regraded.length === 0) return '';
  const row = (trial: string, what: string) => `<tr><th scope="row">${toMarkup(trial)}</th><td>${what}</td></tr>`;
  const rows = [
    ...reused.map(({ trial, from }) => row(trial, `reused: the verdict of ${toMarkup(from)}; nothing was run`)),
    ...regraded.map(({ trial, before, after, at }) =>
      row(trial, `regraded at ${toMarkup(at)}: ${toReward(before)} → <b>${toReward(after)}</b>`),
    ),
  ];
  return `<table><thead><tr><th>Trial</th><th>Where its verdict comes from</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>
<p class="cap">All figures of this report rest on the verdicts of the trials themselves; those given anew stand beside them.</p>`;
}

/** What each step of a trial came to, where its task is worked on in steps. */
export function stepsTable({ steps }: Pick<ReportModel, 'steps'>): string {
  if (steps.length === 0) return '';
  const rows = steps.map(({ trial, verdicts }) => {
    const told = verdicts.map(({ name, reward }) => `${toMarkup(name)} <b>${toReward(reward)}</b>`);
    return `<tr><th scope="row">${toMarkup(trial)}</th><td>${told.join(' · ')}</td></tr>`;
  });
  return `<table><thead><tr><th>Trial</th><th>Reward per step</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}
