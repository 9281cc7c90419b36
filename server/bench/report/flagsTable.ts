import { integrityWords } from '../../../protocol/integrity.ts';
import { toMarkup } from './escape.ts';
import type { ReportModel } from './model.ts';

/** What agents did that a person should look at, each with its quoted evidence. */
export function flagsTable({ flags }: ReportModel): string {
  if (flags.length === 0) return '';
  const rows = flags.flatMap(({ trial, flags: own }) =>
    own.map(
      ({ kind, evidence, place }) =>
        `<tr><th scope="row">${toMarkup(trial)}</th><td class="warn">${integrityWords[kind]}</td>
<td><code>${toMarkup(evidence)}</code></td><td class="dim">${toMarkup(place)}</td></tr>`,
    ),
  );
  return `<table><thead><tr><th>Trial</th><th>What it did</th><th>Evidence</th><th>Place</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>
<p class="cap">Found by rule, to be looked at by a person. None of it has changed a reward. Places are below the trial’s directory.</p>`;
}
