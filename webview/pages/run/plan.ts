import * as l10n from '@vscode/l10n';
import { toDuration, toReward } from '../../../protocol/figures.ts';
import type { TrialSummary } from '../../../protocol/runs.ts';
import { trialStateWord } from '../../../protocol/stateWords.ts';
import { trialState } from '../../../protocol/trialState.ts';
import { el, type View } from '../../components/element.ts';
import { trialIcon } from '../../components/icons.ts';
import { middle, section } from '../../components/layout.ts';
import { agentCount, attemptCount, attemptName, taskCount } from '../../components/words.ts';
import type { RunContext } from './context.ts';
import { phaseTimes } from './runModel.ts';

/** The most columns of a matrix that shows rewards and times and still fits a narrow panel. */
const maxColumns = 6;

/** Which task × agent × attempt is where; a cell selects its trial. */
export function plan(context: RunContext): View {
  const { trials } = context.model;
  const shape: Shape = {
    tasks: [...new Set(trials.map(trial => trial.task))],
    agents: [...new Set(trials.map(trial => trial.agentLabel))],
    attempts: [...new Set(trials.map(trial => trial.attempt))].sort((a, b) => a - b),
  };
  const { tasks, agents, attempts } = shape;
  const words = [taskCount(tasks.length), agentCount(agents.length), attemptCount(attempts.length)].join(' × ');
  const fits = agents.length * attempts.length <= maxColumns;
  return section(
    'plan',
    l10n.t('Plan'),
    words,
    el('div', { class: 'scrollx' }, fits ? matrix(shape, context) : rows(shape, context)),
    legend(context),
  );
}

interface Shape {
  readonly tasks: readonly string[];
  readonly agents: readonly string[];
  readonly attempts: readonly number[];
}

/** A row for each task, a column for each attempt of an agent. */
function matrix({ tasks, agents, attempts }: Shape, context: RunContext): View {
  const columns = agents.flatMap(agent => attempts.map(attempt => ({ agent, attempt })));
  // Half as many columns may be twice as wide, which single attempts need for the names of their agents.
  const isSingle = attempts.length === 1 && agents.length <= maxColumns / 2;
  return el(
    'table',
    {
      class: isSingle ? 'mx single' : 'mx',
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
            agentName(agent, context),
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
          columns.map(({ agent, attempt }) => el('td', {}, cell({ task, agent, attempt }, context))),
        ),
      ),
    ),
  );
}

/** A row for each agent of a task, its attempts after each other on as many lines as they need: nothing is out of sight. */
function rows({ tasks, agents, attempts }: Shape, context: RunContext): View {
  return el(
    'table',
    {
      class: attempts.length > maxColumns ? 'mx rows narrow' : 'mx rows',
      attributes: { 'aria-label': l10n.t('Plan: tasks by agents and attempts') },
    },
    tasks.map(task =>
      el(
        'tbody',
        { key: task },
        // The name of the only task would say nothing.
        tasks.length > 1 &&
          el('tr', { class: 'group' }, el('th', { attributes: { colspan: '2', scope: 'rowgroup' } }, middle(task))),
        agents.map(agent =>
          el(
            'tr',
            { key: agent },
            el('th', { class: 'tk ag', attributes: { scope: 'row' } }, agentName(agent, context)),
            el(
              'td',
              {},
              el(
                'div',
                { class: 'cells' },
                attempts.map(attempt => cell({ task, agent, attempt }, context)),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

/** The name above the model, which is not said twice: `codex/gpt-5.5` is `codex` above `gpt-5.5`. */
function agentName(agent: string, { model: { trials } }: RunContext): View[] {
  const model = modelOf(trials, agent);
  const name = model !== '' && agent.endsWith(`/${model}`) ? agent.slice(0, -model.length - 1) : agent;
  return [el('b', {}, middle(name)), el('span', { class: 'end', title: model }, model)];
}

interface Place {
  readonly task: string;
  readonly agent: string;
  readonly attempt: number;
}

function cell({ task, agent, attempt }: Place, { model, selected, nowMs, actions }: RunContext): View | null {
  const trial = model.trials.find(one => one.task === task && one.agentLabel === agent && one.attempt === attempt);
  if (trial === undefined) return null;
  const state = trialState(trial);
  const name = attemptName(trial.task, trial.agentLabel, trial.attempt, state);
  const times = phaseTimes(trial, nowMs);
  const clock = trial.phase !== 'done' && times !== null ? toDuration(times.totalMs) : null;
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
