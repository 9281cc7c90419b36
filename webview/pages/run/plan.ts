import * as l10n from '@vscode/l10n';
import { toClock, toReward } from '../../../protocol/figures.ts';
import type { TrialSummary } from '../../../protocol/runs.ts';
import { trialStateWord } from '../../../protocol/stateWords.ts';
import { trialState } from '../../../protocol/trialState.ts';
import { el, type View } from '../../components/element.ts';
import { trialIcon } from '../../components/icons.ts';
import { middle, section } from '../../components/layout.ts';
import { agentCount, attemptCount, attemptName, taskCount } from '../../components/words.ts';
import type { RunContext } from './context.ts';
import { phaseTimes } from './runModel.ts';

/** With more columns than this, cells show their icon only; reward and time are in the tooltip and the lanes. */
const maxWordyColumns = 6;

/** Which task × agent × attempt is where; a cell selects its trial. */
export function plan(context: RunContext): View {
  const { trials } = context.model;
  const tasks = [...new Set(trials.map(trial => trial.task))];
  const agents = [...new Set(trials.map(trial => trial.agentLabel))];
  const attempts = [...new Set(trials.map(trial => trial.attempt))].sort((a, b) => a - b);
  const find = (task: string, agent: string, attempt: number) =>
    trials.find(trial => trial.task === task && trial.agentLabel === agent && trial.attempt === attempt);
  const columns = agents.flatMap(agent => attempts.map(attempt => ({ agent, attempt })));
  const words = [taskCount(tasks.length), agentCount(agents.length), attemptCount(attempts.length)].join(' × ');
  return section(
    'plan',
    l10n.t('Plan'),
    words,
    el(
      'div',
      { class: 'scrollx' },
      el(
        'table',
        {
          class: columns.length > maxWordyColumns ? 'mx narrow' : 'mx',
          attributes: { 'aria-label': l10n.t('Plan: tasks by agents and attempts') },
        },
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            el('th', { class: 'tk', attributes: { rowspan: '2' } }, l10n.t('Task')),
            agents.map(agent =>
              el(
                'th',
                { key: agent, class: 'ag', attributes: { colspan: String(attempts.length), scope: 'colgroup' } },
                el('b', { class: 'end', title: agent }, agent),
                el('span', { class: 'end' }, modelOf(trials, agent)),
              ),
            ),
          ),
          el(
            'tr',
            {},
            columns.map(({ attempt }) => el('th', { class: 'num' }, `#${attempt}`)),
          ),
        ),
        el(
          'tbody',
          {},
          tasks.map(task =>
            el(
              'tr',
              { key: task },
              el('th', { class: 'tk', attributes: { scope: 'row' } }, middle(task)),
              columns.map(({ agent, attempt }) => el('td', {}, cell(find(task, agent, attempt), context))),
            ),
          ),
        ),
      ),
    ),
    legend(context),
  );
}

function cell(trial: TrialSummary | undefined, { selected, nowMs, actions }: RunContext): View | null {
  if (trial === undefined) return null;
  const state = trialState(trial);
  const name = attemptName(trial.task, trial.agentLabel, trial.attempt, state);
  const times = phaseTimes(trial, nowMs);
  const clock = trial.phase !== 'done' && times !== null ? toClock(times.totalMs) : null;
  const shown = clock ?? (trial.reward === null ? '' : toReward(trial.reward));
  const figure = clock === null ? l10n.t('reward {0}', shown) : l10n.t('for {0}', clock);
  const label = shown === '' ? name : `${name}, ${figure}`;
  return el(
    'button',
    {
      key: trial.id,
      class: 'cell inset',
      title: label,
      attributes: {
        'aria-label': label,
        'aria-current': selected === trial.id ? 'true' : undefined,
        'data-trial': trial.id,
        'data-state': state,
      },
      on: { click: () => actions.select(trial.id) },
    },
    trialIcon(state),
    el('span', {}, shown),
  );
}

function legend({ model }: RunContext): View {
  return el(
    'div',
    { class: 'lg' },
    model
      .stateCounts()
      .map(([state, number]) =>
        el(
          'span',
          { key: state, class: 'st' },
          trialIcon(state),
          `${trialStateWord(state, l10n)} `,
          el('b', {}, String(number)),
        ),
      ),
  );
}

function modelOf(trials: readonly TrialSummary[], agent: string): string {
  const choice = trials.find(trial => trial.agentLabel === agent)?.agent;
  if (choice === undefined) return '';
  return choice.replay === null ? (choice.model ?? '') : l10n.t('replay');
}
