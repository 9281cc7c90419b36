import * as l10n from '@vscode/l10n';
import { toReward, toSize } from '../../../protocol/figures.ts';
import { integritySentence } from '../../../protocol/integrity.ts';
import type { TrialSummary } from '../../../protocol/runs.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { el, type View } from '../../components/element.ts';
import { icon } from '../../components/icons.ts';
import { fold } from '../../components/layout.ts';
import { actionLink, button } from '../../components/toolkit.ts';
import type { RunContext } from './context.ts';
import { printable } from './journal.ts';

/** What a person should look at before the verdict is believed. It changes no reward. */
export function flags(trial: TrialSummary, { actions }: RunContext): View | null {
  const { flags: found = [] } = trial;
  if (found.length === 0) return null;
  return fold(
    'flags',
    l10n.t('Integrity flags'),
    l10n.t('{0}, reward unchanged', found.length),
    el(
      'div',
      { class: 'fl' },
      found.map(({ kind, evidence, place }, index) =>
        el(
          'div',
          { key: String(index), class: 'fl-row' },
          icon('flag', 'error'),
          el(
            'div',
            { class: 'grow' },
            el('p', {}, integritySentence(kind, l10n)),
            el('pre', { class: 'mono' }, printable(evidence)),
            actionLink(visible(place), () => actions.openArtifact(trial.id, place.replace(/:\d+$/, ''))),
          ),
        ),
      ),
    ),
  );
}

/** How the verdict came about where it is more than tests: steps, parts of the score, and what was judged anew. */
export function verdictParts(trial: TrialSummary, { model }: RunContext): View | null {
  const { steps = [], score } = trial;
  const regrade = model.regrade(trial.id);
  const rows: [name: string, value: string, aside: string][] = [
    ...steps.map((step): [string, string, string] => [visible(step.name), toReward(step.reward), l10n.t('step')]),
    ...(score?.tests === undefined || score.tests === null || score.rubric === null
      ? []
      : [[l10n.t('Tests'), toReward(score.tests), weight(score.weights.tests)] as [string, string, string]]),
    ...(score?.rubric ? [rubricRow(score.rubric, score.weights.rubric)] : []),
  ];
  if (rows.length === 0 && regrade === undefined) return null;
  return fold(
    'verdict',
    l10n.t('Verdict'),
    null,
    el(
      'div',
      { class: 'vd' },
      rows.map(([name, value, aside], index) =>
        el(
          'div',
          { key: String(index), class: 'vd-row' },
          el('span', { class: 'end' }, name),
          el('span', { class: 'dim' }, aside),
          el('b', { class: 'strong num' }, value),
        ),
      ),
      (score?.rubric?.criteria ?? []).map(({ id, text, verdict }) =>
        el(
          'div',
          { key: `c-${id}`, class: 'vd-row' },
          el(
            'span',
            { class: 'row' },
            verdict === 'met' ? icon('done', 'pass') : icon(verdict === 'unmet' ? 'failed' : 'lost', 'fail'),
            el('span', { class: 'wrap' }, visible(text)),
          ),
          el('span', { class: 'dim' }, criterionWord(verdict)),
        ),
      ),
      regrade === undefined
        ? null
        : el(
            'p',
            { key: 'regrade', attributes: { id: 'regraded' } },
            l10n.t('Regraded {0}:', new Date(regrade.at).toLocaleString()),
            ' ',
            el('b', { class: 'strong' }, `${toReward(regrade.before)} → ${toReward(regrade.after)}`),
            regrade.error === null ? '' : `. ${visible(regrade.error.message)}`,
          ),
    ),
  );
}

function weight(share: number): string {
  return l10n.t('weight {0}', share);
}

function criterionWord(verdict: 'met' | 'unmet' | null): string {
  if (verdict === null) return l10n.t('no verdict');
  return verdict === 'met' ? l10n.t('met') : l10n.t('unmet');
}

function rubricRow(
  { share, judge }: NonNullable<NonNullable<TrialSummary['score']>['rubric']>,
  rubricWeight: number,
): [string, string, string] {
  const name = judge === null ? l10n.t('Rubric') : l10n.t('Rubric by {0}', visible(judge));
  return [name, toReward(share), weight(rubricWeight)];
}

/** Files that grow line by line while a trial works. */
const logName = /\.(log|jsonl|txt|ndjson)$/;

/** The end of one log of the trial, which follows while it grows. */
export function logs(trial: TrialSummary, { artifacts, tail, actions }: RunContext): View {
  const names = artifacts.map(({ path }) => path).filter(path => logName.test(path));
  return fold(
    'logs',
    l10n.t('Logs'),
    tail === null ? null : toSize(tail.sizeBytes),
    el(
      'div',
      { class: 'lt' },
      names.length === 0
        ? el('p', { class: 'dim pad' }, l10n.t('No log yet.'))
        : el(
            'div',
            { class: 'row pad tabs' },
            names.map(path =>
              button(
                {
                  title: l10n.t('Show the end of {0}', visible(path)),
                  primary: tail?.path === path,
                  onClick: () => actions.tail(trial.id, path),
                },
                visible(path),
              ),
            ),
          ),
      tail === null
        ? null
        : el(
            'pre',
            {
              class: 'log mono follow',
              attributes: { tabindex: '0', role: 'log', 'aria-label': l10n.t('End of {0}', visible(tail.path)) },
            },
            printableTail(tail.text),
          ),
    ),
  );
}

const tailLines = 200;
const lineLength = 1000;

function printableTail(text: string): string {
  const lines = visible(text).split('\n');
  return lines
    .slice(-tailLines)
    .map(line => (line.length <= lineLength ? line : `${line.slice(0, lineLength)}…`))
    .join('\n');
}
