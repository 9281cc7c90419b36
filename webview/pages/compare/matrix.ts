import type { ComparedTask } from '../../../protocol/comparison.ts';
import { toReward } from '../../../protocol/figures.ts';
import { trialState, trialStateWords } from '../../../protocol/trialState.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { el, type View } from '../../components/element.ts';
import { middle, section } from '../../components/layout.ts';
import { actionLink } from '../../components/toolkit.ts';
import { count } from '../../components/words.ts';
import type { CompareContext } from './context.ts';
import { type Attempt, meanReward } from './figures.ts';

/** Tasks drawn until the rest is asked for; those that agents disagree on come first. */
const shownTasks = 100;

/** Agents × tasks: one mark per attempt, which opens its trial. */
export function matrix(context: CompareContext): View {
  const { comparison, showsAllTasks, actions } = context;
  const { agents, tasks } = comparison;
  const shown = showsAllTasks ? tasks : tasks.slice(0, shownTasks);
  return section(
    'tasks',
    'Tasks',
    'a mark for each attempt; most disagreement first',
    el(
      'div',
      { class: 'scrollx both', attributes: { tabindex: '0', role: 'region', 'aria-label': 'Tasks by agents' } },
      el(
        'table',
        { class: 'mx', on: { keydown: event => moveFocus(event as KeyboardEvent) } },
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            el('th', { attributes: { scope: 'col' } }, 'Task'),
            agents.map(({ label }) =>
              el(
                'th',
                { key: label, class: 'num', title: visible(label), attributes: { scope: 'col' } },
                inTwoLines(visible(label)),
              ),
            ),
          ),
        ),
        el(
          'tbody',
          {},
          shown.map(task => taskRow(task, context)),
          meanRow(context),
        ),
      ),
    ),
    shown.length < tasks.length &&
      el('p', { class: 'pad' }, actionLink(`Show all ${count(tasks.length, 'task')}`, actions.showAllTasks)),
    legend(),
  );
}

/** The agent above its model: a column is as wide as its marks. */
function inTwoLines(label: string): View[] {
  const [agent = '', model] = label.split(/(?<=^[^/]+\/)/);
  return [agent, model].flatMap(part => (part === undefined ? [] : [el('span', { class: 'part end' }, part)]));
}

function taskRow({ task, proven, basis, attempts }: ComparedTask, context: CompareContext): View {
  const { agents } = context.comparison;
  return el(
    'tr',
    { key: task },
    el(
      'th',
      { class: 'tk', attributes: { scope: 'row' } },
      middle(visible(task)),
      proven ? null : el('span', { class: 'dim small' }, ' not proven'),
      basis === 'tests' ? null : el('span', { class: 'dim small' }, ` by ${basis}`),
    ),
    agents.map(({ label }, column) => {
      const own = attempts[column] ?? [];
      return el(
        'td',
        { key: label, class: 'num' },
        el(
          'span',
          { class: 'marks' },
          own.map((attempt, index) =>
            mark(attempt, `${visible(task)}, ${visible(label)}, attempt ${index + 1}`, context),
          ),
          el('span', { class: 'mean' }, meanReward(own)),
        ),
      );
    }),
  );
}

function meanRow({ comparison }: CompareContext): View {
  return el(
    'tr',
    { key: ' mean', class: 'sum' },
    el('th', { attributes: { scope: 'row' } }, `Mean of ${count(comparison.tasks.length, 'task')}`),
    comparison.agents.map(({ label, reward }) =>
      el('td', { key: label, class: 'num' }, el('b', { class: 'strong' }, toReward(reward?.mean ?? null))),
    ),
  );
}

/** The shape says how it ended, the colour repeats it. */
function mark({ trialId, reward, end }: Attempt, name: string, { flags, actions }: CompareContext): View {
  const kind = reward === null ? 'none' : reward >= 1 ? 'yes' : reward > 0 ? 'part' : 'no';
  const word = trialStateWords[trialState({ phase: 'done', end, reward })].toLowerCase();
  const flagged = flags.has(trialId) ? ', flagged' : '';
  const label = `${name}: ${word}${reward === null ? '' : `, reward ${toReward(reward)}`}${flagged}`;
  return el(
    'button',
    {
      key: trialId,
      class: `mk ${kind}${flagged === '' ? '' : ' flagged'}`,
      title: label,
      attributes: { 'aria-label': label, 'data-trial': trialId },
      on: { click: () => actions.openTrial(trialId) },
    },
    el('i', {}),
  );
}

function legend(): View {
  const entry = (kind: string, word: string) => el('span', { key: kind, class: `mk ${kind}` }, el('i', {}), word);
  return el(
    'p',
    { class: 'legend dim small' },
    entry('yes', 'passed'),
    entry('part', 'in part'),
    entry('no', 'failed'),
    entry('none', 'no verdict'),
    entry('no flagged', 'flagged'),
  );
}

/** Arrow keys move among the marks. */
function moveFocus(event: KeyboardEvent): void {
  const from = document.activeElement;
  if (!(from instanceof HTMLElement) || !from.matches('button.mk')) return;
  const row = from.closest('tr');
  const marksOf = (parent: Element | null | undefined) => [
    ...(parent?.querySelectorAll<HTMLElement>('button.mk') ?? []),
  ];
  const place = marksOf(row).indexOf(from);
  const targets: Readonly<Record<string, HTMLElement | undefined>> = {
    ArrowLeft: marksOf(row)[place - 1],
    ArrowRight: marksOf(row)[place + 1],
    ArrowUp: marksOf(row?.previousElementSibling)[place],
    ArrowDown: marksOf(row?.nextElementSibling)[place],
  };
  const target = targets[event.key];
  if (target === undefined) return;
  event.preventDefault();
  target.focus();
}
