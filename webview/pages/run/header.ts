import * as l10n from '@vscode/l10n';
import { toCount, toDuration, toMoney, toReward } from '../../../protocol/figures.ts';
import type { RunSummary } from '../../../protocol/runs.ts';
import { erroredWords, runStateWord } from '../../../protocol/stateWords.ts';
import { tallyOf } from '../../../protocol/trialState.ts';
import { totalTokens } from '../../../protocol/usage.ts';
import { el, type View } from '../../components/element.ts';
import { icon, runIcon } from '../../components/icons.ts';
import { figure, heading } from '../../components/layout.ts';
import { serverNotes } from '../../components/serverNotes.ts';
import { button } from '../../components/toolkit.ts';
import { verdictCount } from '../../components/words.ts';
import type { RunContext } from './context.ts';
import { mean } from './runModel.ts';

/** How far, how long, what it costs against the limits. */
export function header(run: RunSummary, context: RunContext): View {
  const { errored } = tallyOf(context.model.trials);
  return el(
    'header',
    { key: 'header', class: 'hd' },
    heading(
      el(
        'h1',
        { class: 'row' },
        el('span', { class: 'end', title: run.tasks.join(', ') }, run.tasks.join(', ')),
        el(
          'span',
          { class: 'st', attributes: { id: 'run-state', role: 'status' } },
          runIcon(run.state, errored),
          [runStateWord(run.state, l10n), erroredWords(errored, l10n)].filter(Boolean).join(', '),
        ),
      ),
      { text: progressWords(run, context), title: run.directory },
      el('div', { class: 'row wraps' }, runActions(run, context)),
    ),
    el('div', { class: 'ms' }, figures(run, context)),
    ...notes(run, context),
  );
}

/** What can be done with a run: stop it while it works, and afterwards try again, judge again, look at it. */
function runActions(run: RunSummary, { model, actions }: RunContext): View[] {
  if (run.state === 'running') {
    return [button({ id: 'cancel', onClick: actions.cancel }, icon('cancelled'), l10n.t('Cancel run…'))];
  }
  const open = run.state === 'interrupted' ? model.trials.filter(trial => trial.phase !== 'done').length : 0;
  const retriable = model.retriable.length + open;
  // Where a judge is all that was missing, judging is what helps: no agent has to work again.
  const isUnjudged = model.unjudged.length > 0;
  const retry =
    retriable === 0
      ? []
      : [button({ id: 'resume', primary: !isUnjudged, onClick: actions.resume }, retryWords(retriable))];
  const regrade = button({ id: 'regrade', primary: isUnjudged, onClick: actions.regrade }, l10n.t('Regrade…'));
  return [
    ...(isUnjudged ? [regrade, ...retry] : [...retry, regrade]),
    button({ id: 'compare', onClick: actions.openComparison }, l10n.t('Compare agents')),
    button({ id: 'report', onClick: actions.openReport }, l10n.t('Open report')),
  ];
}

function retryWords(trials: number): string {
  return trials === 1 ? l10n.t('Retry 1 trial…') : l10n.t('Retry {0} trials…', trials);
}

function progressWords(run: RunSummary, { model }: RunContext): string {
  const { trials } = model;
  const done = trials.filter(trial => trial.phase === 'done').length;
  const queued = trials.filter(trial => trial.phase === 'queued').length;
  const running = trials.length - done - queued;
  const total = trials.length;
  const parts = [total === 1 ? l10n.t('{0} of 1 trial ended', done) : l10n.t('{0} of {1} trials ended', done, total)];
  if (running > 0) parts.push(l10n.t('{0} running', running));
  if (queued > 0) parts.push(l10n.t('{0} queued', queued));
  return `${parts.join(', ')} · ${run.executor} · ${run.id}`;
}

function figures(run: RunSummary, { model, nowMs }: RunContext): View[] {
  const endMs = run.finishedAt === null ? nowMs : Date.parse(run.finishedAt);
  const tokens = totalTokens(model.usage());
  const { maxTokens, maxUsd } = run.limits;
  const budget = maxTokens === null ? null : maxTokens * model.trials.length;
  const budgetUsd = maxUsd === undefined ? null : maxUsd * model.trials.length;
  const rewards = model.trials.flatMap(trial => trial.reward ?? []);
  const done = model.trials.filter(trial => trial.phase === 'done').length;
  return [
    figure(
      l10n.t('Wall time'),
      toDuration(endMs - Date.parse(run.createdAt)),
      null,
      model.trials.length === 0 ? 0 : done / model.trials.length,
    ),
    figure(
      l10n.t('Cost'),
      toMoney(run.cost),
      run.cost.kind === 'replay'
        ? l10n.t('replayed')
        : budgetUsd === null
          ? null
          : l10n.t('of {0}', `$${budgetUsd.toFixed(2)}`),
      budgetUsd === null || run.cost.amountUsd === null ? null : run.cost.amountUsd / budgetUsd,
    ),
    figure(
      l10n.t('Tokens'),
      toCount(tokens),
      budget === null ? null : l10n.t('of {0}', toCount(budget)),
      budget === null || tokens === null ? null : tokens / budget,
    ),
    figure(
      run.state === 'running' ? l10n.t('Reward so far') : l10n.t('Mean reward'),
      toReward(mean(rewards)),
      verdictCount(rewards.length),
      null,
    ),
  ];
}

function notes(run: RunSummary, context: RunContext): View[] {
  const shown = serverNotes(context, l10n.t('Verdicts reached so far are kept.'), context.actions.restartServer);
  if (run.notIsolated.length > 0) {
    shown.push(
      el(
        'p',
        { key: 'isolation', class: 'dim small iso' },
        l10n.t('Not isolated by {0}: {1}', run.executor, run.notIsolated.join(' ')),
      ),
    );
  }
  return shown;
}
