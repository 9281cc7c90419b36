import * as l10n from '@vscode/l10n';
import { noFigure, toDuration } from '../../../protocol/figures.ts';
import type { TrialSummary } from '../../../protocol/runs.ts';
import { trialWord } from '../../../protocol/stateWords.ts';
import { trialState } from '../../../protocol/trialState.ts';
import { el, type View } from '../../components/element.ts';
import { trialIcon } from '../../components/icons.ts';
import { middle, section } from '../../components/layout.ts';
import type { RunContext } from './context.ts';
import { type PhaseTimes, phaseTimes } from './runModel.ts';

/** Rows drawn at once; the newest ones matter. */
const maxLanes = 200;
/** Longest axis in milliseconds whose middle has a mark: the hours of longer ones leave no room for it. */
const longestHalved = 3_600_000;

/** Where the time goes. Every bar starts at its own trial's start, so bars compare. */
export function lanes(context: RunContext): View {
  const { model, nowMs } = context;
  const limitMs = (model.run?.limits.timeoutSec ?? 0) * 1000;
  const rows = model.trials
    .map((trial, place) => ({ trial, place, times: phaseTimes(trial, nowMs) }))
    .sort((a, b) => rank(a.trial) - rank(b.trial) || a.place - b.place)
    .slice(0, maxLanes);
  const longest = Math.max(0, ...rows.map(({ times }) => times?.totalMs ?? 0));
  const axisMs = axisEnd(longest);
  const hidden = model.trials.length - rows.length;
  return section(
    'trials',
    l10n.t('Trials'),
    el(
      'span',
      { class: 'key' },
      el('i', { class: 'k build' }),
      l10n.t('build'),
      el('i', { class: 'k agent' }),
      l10n.t('agent'),
      el('i', { class: 'k verify' }),
      l10n.t('verify'),
    ),
    el(
      'div',
      { class: 'lanes' },
      el(
        'div',
        { class: 'axis', attributes: { 'aria-hidden': 'true' } },
        el('span', {}),
        el('span', {}),
        el(
          'span',
          { class: 'ax' },
          el('i', { style: { left: '0' } }, '0'),
          axisMs <= longestHalved && el('i', { style: { left: '50%' } }, toDuration(axisMs / 2)),
          el('i', { class: 'last' }, toDuration(axisMs)),
        ),
        el('span', { class: 'num end', title: l10n.t('Wall time') }, l10n.t('Wall time')),
      ),
      el(
        'div',
        { attributes: { id: 'lanes' } },
        rows.map(({ trial, times }) => lane(trial, times, axisMs, limitMs, context)),
      ),
    ),
    hidden > 0 && el('p', { class: 'dim more' }, hiddenWords(hidden)),
  );
}

function hiddenWords(trials: number): string {
  return trials === 1
    ? l10n.t('1 more trial is not drawn; it is in the plan above.')
    : l10n.t('{0} more trials are not drawn; they are in the plan above.', trials);
}

/** Running ones first, then what has ended, then the queue. */
function rank(trial: TrialSummary): number {
  return trial.phase === 'done' ? 1 : trial.phase === 'queued' ? 2 : 0;
}

/** The next round length from which the longest bar still fills at least half of the axis. */
function axisEnd(longestMs: number): number {
  const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400];
  const seconds = steps.find(step => step * 1000 >= longestMs) ?? longestMs / 1000;
  return seconds * 1000;
}

function lane(
  trial: TrialSummary,
  times: PhaseTimes | null,
  axisMs: number,
  limitMs: number,
  context: RunContext,
): View {
  const state = trialState(trial);
  const word = trialWord(trial, l10n);
  return el(
    'button',
    {
      key: trial.id,
      class: 'lane inset',
      attributes: {
        'aria-current': context.selected === trial.id ? 'true' : undefined,
        'data-trial': trial.id,
        'data-state': state,
      },
      on: { click: () => context.actions.select(trial.id) },
    },
    el('span', { class: 'ls' }, trialIcon(state), el('span', { class: 'end', title: word }, word)),
    el(
      'span',
      { class: 'ln' },
      // The name of the only task would say nothing.
      context.model.run?.tasks.length === 1 ? null : middle(trial.task),
      el('span', { class: 'la' }, middle(`${trial.agentLabel} #${trial.attempt}`)),
    ),
    el('span', { class: 'bar' }, times === null ? null : bars(trial, times, axisMs), limitMark(limitMs, axisMs)),
    times === null ? noTime(trial) : wallTime(times),
  );
}

function wallTime({ totalMs, buildMs, agentMs, verifyMs }: PhaseTimes): View {
  const parts = [buildMs, agentMs, verifyMs].map(toDuration) as [string, string, string];
  return el(
    'span',
    { class: 'num ld', title: l10n.t('Wall time; of it build {0}, agent {1}, verify {2}', ...parts) },
    el('span', { class: 'sr' }, l10n.t('Wall time')),
    toDuration(totalMs),
  );
}

/** A verdict of an earlier run took no time of this one. */
function noTime({ reusedFrom }: TrialSummary): View | null {
  if (reusedFrom === undefined) return null;
  return el(
    'span',
    { class: 'num ld dim', title: l10n.t('Nothing ran: the verdict is that of an earlier run.') },
    noFigure,
  );
}

function bars(trial: TrialSummary, times: PhaseTimes, axisMs: number): View[] {
  const parts = [
    ['build', times.buildMs, 'building'],
    ['agent', times.agentMs, 'agent'],
    ['verify', times.verifyMs, 'verifying'],
  ] as const;
  let startMs = 0;
  return parts.map(([name, lengthMs, phase]) => {
    const left = (startMs / axisMs) * 100;
    startMs += lengthMs;
    const live = trial.phase === phase ? ' live' : '';
    return el('i', {
      key: name,
      class: `${name}${live}${lengthMs === 0 ? ' none' : ''}`,
      style: { left: `${left}%`, width: `${(lengthMs / axisMs) * 100}%` },
    });
  });
}

function limitMark(limitMs: number, axisMs: number): View | null {
  if (limitMs === 0 || limitMs > axisMs) return null;
  return el('i', {
    key: 'limit',
    class: 'limit',
    title: l10n.t('Limit of the agent’s time: {0}', toDuration(limitMs)),
    style: { left: `${(limitMs / axisMs) * 100}%` },
  });
}
