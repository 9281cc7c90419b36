import * as l10n from '@vscode/l10n';
import type { ComparedTask } from '../../../protocol/comparison.ts';
import { toReward } from '../../../protocol/figures.ts';
import { trialState } from '../../../protocol/trialState.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { el, type View } from '../../components/element.ts';
import { middle, section } from '../../components/layout.ts';
import { actionLink } from '../../components/toolkit.ts';
import { attemptName } from '../../components/words.ts';
import { columnHead } from './columnHead.ts';
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
    l10n.t('Tasks'),
    l10n.t('a mark for each attempt; most disagreement first'),
    el(
      'div',
      { class: 'scrollx both', attributes: { tabindex: '0', role: 'region', 'aria-label': l10n.t('Tasks by agents') } },
      el(
        'table',
        { class: 'mx', on: { keydown: event => moveFocus(event as KeyboardEvent) } },
        el(
          'thead',
          {},
          el('tr', {}, el('th', { attributes: { scope: 'col' } }, l10n.t('Task')), agents.map(columnHead)),
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
      el('p', { class: 'pad' }, actionLink(l10n.t('Show all {0} tasks', tasks.length), actions.showAllTasks)),
    legend(tasks.some(({ attempts }) => attempts.flat().some(({ sharedWith }) => sharedWith !== undefined))),
  );
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
      proven ? null : el('span', { class: 'dim small' }, ` ${l10n.t('not proven')}`),
      basis === 'tests' ? null : el('span', { class: 'dim small' }, ` ${basisWords(basis)}`),
    ),
    agents.map(({ label }, column) => {
      const own = attempts[column] ?? [];
      return el(
        'td',
        { key: label, class: 'num' },
        el(
          'span',
          { class: 'marks' },
          own.map((attempt, index) => {
            const state = trialState({ phase: 'done', ...attempt });
            return mark(attempt, attemptName(visible(task), visible(label), index + 1, state), context);
          }),
          el('span', { class: 'mean' }, meanReward(own)),
        ),
      );
    }),
  );
}

/** What a verdict rests on where it is no hidden test. */
function basisWords(basis: 'mutation' | 'rubric'): string {
  return basis === 'mutation' ? l10n.t('by mutation') : l10n.t('by rubric');
}

function meanRow({ comparison }: CompareContext): View {
  return el(
    'tr',
    { key: ' mean', class: 'sum' },
    el('th', { attributes: { scope: 'row' } }, meanWords(comparison.tasks.length)),
    comparison.agents.map(({ label, reward }) =>
      el('td', { key: label, class: 'num' }, el('b', { class: 'strong' }, toReward(reward?.mean ?? null))),
    ),
  );
}

function meanWords(tasks: number): string {
  return tasks === 1 ? l10n.t('Mean of 1 task') : l10n.t('Mean of {0} tasks', tasks);
}

/** The shape says how it ended, the colour repeats it. */
function mark({ trialId, reward, sharedWith }: Attempt, name: string, { flags, actions }: CompareContext): View {
  const kind = reward === null ? 'none' : reward >= 1 ? 'yes' : reward > 0 ? 'part' : 'no';
  const isFlagged = flags.has(trialId);
  const rewardWords = reward === null ? [] : [l10n.t('reward {0}', toReward(reward))];
  const origin = sharedWith === undefined ? [] : [l10n.t('reused, the verdict of {0}', visible(sharedWith))];
  const label = [name, ...rewardWords, ...origin, ...(isFlagged ? [l10n.t('flagged')] : [])].join(', ');
  return el(
    'button',
    {
      key: trialId,
      class: ['mk', kind, isFlagged && 'flagged', origin.length > 0 && 'reused'].filter(Boolean).join(' '),
      title: label,
      attributes: { 'aria-label': label, 'data-trial': trialId },
      on: { click: () => actions.openTrial(trialId) },
    },
    el('i', {}),
  );
}

function legend(hasReused: boolean): View {
  const entry = (kind: string, word: string) => el('span', { key: kind, class: `mk ${kind}` }, el('i', {}), word);
  return el(
    'p',
    { class: 'legend dim small' },
    entry('yes', l10n.t('passed')),
    entry('part', l10n.t('in part')),
    entry('no', l10n.t('failed')),
    entry('none', l10n.t('no verdict')),
    entry('no flagged', l10n.t('flagged')),
    hasReused && entry('yes reused', l10n.t('reused, the verdict of another column')),
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
