import * as l10n from '@vscode/l10n';
import { type AgentFigures, type PairVerdict, sharedVerdicts } from '../../../protocol/comparison.ts';
import { noFigure, toCount, toDuration, toMoney, toReward } from '../../../protocol/figures.ts';
import { failureWords } from '../../../protocol/stateWords.ts';
import { TrialEnd } from '../../../protocol/trialEnd.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { type Child, el, type View } from '../../components/element.ts';
import { icon, trialIcon } from '../../components/icons.ts';
import { section } from '../../components/layout.ts';
import { columnHead } from './columnHead.ts';
import type { CompareContext } from './context.ts';
import { columnTitle, mostAttempts, pairWords, pWords, signed } from './figures.ts';
import { shapeOf } from './scatter.ts';

/** The sentence first, then what it rests on. */
export function verdicts({ comparison }: CompareContext): View {
  const { pairs } = comparison;
  if (pairs.length === 0) {
    const words = comparison.agents.some(agent => !agent.isControl && sharedVerdicts(agent) > 0)
      ? l10n.t('An agent and its own reused verdicts are the same evidence: they say nothing about a difference.')
      : l10n.t('It takes two agents with rewards on the same tasks, beside the controls oracle and nop.');
    return section('verdict', l10n.t('Verdict'), null, el('p', { class: 'dim pad' }, words));
  }
  const tasks = pairs.reduce((most, pair) => Math.max(most, pair.tasks), 0);
  return section(
    'verdict',
    l10n.t('Verdict'),
    tasks === 1 ? l10n.t('paired over 1 task') : l10n.t('paired over {0} tasks', tasks),
    table(
      l10n.t('Verdicts'),
      [
        l10n.t('Evidence'),
        l10n.t('In words'),
        `#${l10n.t('Better / worse / equal')}`,
        `#${l10n.t('Difference')}`,
        `#${l10n.t('95 % interval')}`,
        `#${l10n.t('Paired test')}`,
      ],
      pairs.map(pairRow),
    ),
    pairs.length > 1 &&
      el('p', { class: 'dim small pad' }, l10n.t('p is adjusted by Holm for the number of pairs shown.')),
  );
}

function pairRow(pair: PairVerdict): View {
  const cells = [
    `${pair.better} / ${pair.worse} / ${pair.equal}`,
    el('b', { class: 'strong' }, signed(pair.difference)),
    l10n.t('{0} to {1}', signed(pair.low), signed(pair.high)),
    pWords(pair.pValue),
  ];
  return el(
    'tr',
    { key: pair.second, attributes: { 'data-pair': `${pair.first} ${pair.second}` } },
    el(
      'td',
      {},
      el(
        'span',
        { class: 'st' },
        pair.isEnough ? icon('passed', 'pass') : icon('lost', 'part'),
        pair.isEnough ? l10n.t('Enough evidence') : l10n.t('Not enough evidence'),
      ),
    ),
    el('td', { class: 'words' }, pairWords(pair)),
    cells.map(cell => el('td', { class: 'num' }, cell)),
  );
}

export function agents(context: CompareContext): View {
  const { comparison } = context;
  const most = mostAttempts(comparison);
  const ks = most > 1 ? [1, most] : [1];
  return section(
    'agents',
    l10n.t('Agents'),
    null,
    table(
      l10n.t('Agents'),
      [
        l10n.t('Agent'),
        l10n.t('0 to 1'),
        `#${l10n.t('Reward')}`,
        `#${l10n.t('95 % interval')}`,
        ...ks.map(k => `#pass@${k}`),
        ...(most > 1 ? [`#pass^${most}`] : []),
        `#${l10n.t('Verdicts')}`,
        `#${l10n.t('Cost/trial')}`,
        `#${l10n.t('Tokens')}`,
        `#${l10n.t('Agent time')}`,
        `#${l10n.t('Flags')}`,
      ],
      comparison.agents.map(agent => agentRow(agent, ks, context)),
    ),
    el(
      'p',
      { class: 'dim small pad' },
      l10n.t('Tokens and time are medians per trial. Flagged trials keep their reward.'),
    ),
  );
}

function agentRow(agent: AgentFigures, ks: readonly number[], context: CompareContext): View {
  const { reward, passRates } = agent;
  const most = ks.at(-1) ?? 1;
  const rate = (k: number) => passRates.find(candidate => candidate.k === k);
  const cells: Child[] = [
    el('b', { class: 'strong' }, toReward(reward?.mean ?? null)),
    reward === null ? noFigure : l10n.t('{0} to {1}', toReward(reward.low), toReward(reward.high)),
    ...ks.map(k => toReward(rate(k)?.passAtK ?? null)),
    ...(most > 1 ? [toReward(rate(most)?.passHatK ?? null)] : []),
    verdictWords(agent),
    toMoney(agent.costPerTrial),
    toCount(agent.medianTokens),
    toDuration(agent.medianMs),
    String(flaggedTrials(agent.label, context)),
  ];
  const notes = [
    agent.model,
    agent.version,
    agent.isReplay ? l10n.t('replay') : null,
    agent.isControl ? l10n.t('control') : null,
  ];
  return el(
    'tr',
    { key: agent.label, attributes: { 'data-agent': agent.label } },
    el(
      'th',
      { class: 'agent', title: columnTitle(agent), attributes: { scope: 'row' } },
      shapeOf(context, agent.label),
      el('b', { class: 'strong' }, visible(agent.label)),
      el('span', { class: 'dim' }, ` ${visible(notes.filter(Boolean).join(', '))}`),
    ),
    el('td', {}, interval(agent)),
    cells.map(cell => el('td', { class: 'num' }, cell)),
  );
}

/** `12 of 14`, and how many of them are another agent's here. */
function verdictWords(agent: AgentFigures): Child {
  const words = l10n.t('{0} of {1}', agent.verdicts, agent.trials);
  const shared = sharedVerdicts(agent);
  return shared === 0 ? words : [words, el('span', { class: 'dim' }, ` ${l10n.t('({0} reused)', shared)}`)];
}

function flaggedTrials(label: string, { comparison, flags }: CompareContext): number {
  const column = comparison.agents.findIndex(agent => agent.label === label);
  return comparison.tasks.flatMap(task => task.attempts[column] ?? []).filter(({ trialId }) => flags.has(trialId))
    .length;
}

/** The interval on a scale from 0 to 1, with a mark at the mean. */
function interval({ reward }: AgentFigures): View | null {
  if (reward === null) return null;
  const percent = (share: number) => `${(share * 100).toFixed(1)}%`;
  const label = l10n.t(
    '{0}, 95 % interval {1} to {2}',
    toReward(reward.mean),
    toReward(reward.low),
    toReward(reward.high),
  );
  return el(
    'span',
    { class: 'iv', attributes: { role: 'img', 'aria-label': label } },
    el('s', { style: { left: percent(reward.low), width: percent(reward.high - reward.low) } }),
    el('i', { style: { left: percent(reward.mean) } }),
  );
}

/** Why trials failed: an agent's failure and a broken machine are kept apart. */
export function failures({ comparison }: CompareContext): View | null {
  const ends = TrialEnd.options.filter(end => comparison.agents.some(agent => agent.failures[end]));
  if (ends.length === 0) return null;
  return section(
    'failures',
    l10n.t('Failures'),
    l10n.t('a broken machine gives no reward'),
    table(
      l10n.t('Failures'),
      [l10n.t('Why trials failed'), ...comparison.agents.map(columnHead)],
      ends.map(end =>
        el(
          'tr',
          { key: end },
          el(
            'th',
            { attributes: { scope: 'row' } },
            el('span', { class: 'st' }, trialIcon(end === 'verified' ? 'failed' : end), failureWords(end, l10n)),
          ),
          comparison.agents.map(agent => el('td', { class: 'num' }, String(agent.failures[end] ?? 0))),
        ),
      ),
    ),
  );
}

/** What it comes to, in sentences. */
export function conclusions({ comparison }: CompareContext): View {
  return section(
    'conclusions',
    l10n.t('What you can conclude'),
    null,
    el(
      'div',
      { class: 'pad' },
      comparison.summary.map((sentence, index) => el('p', { key: String(index) }, visible(sentence))),
    ),
  );
}

/** A head that begins with `#` is of a column of numbers. */
function table(label: string, heads: readonly (string | View)[], rows: readonly View[]): View {
  return el(
    'div',
    { class: 'scrollx', attributes: { tabindex: '0', role: 'region', 'aria-label': label } },
    el(
      'table',
      { class: 'tb' },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          heads.map(head => (typeof head === 'string' ? headCell(head) : head)),
        ),
      ),
      el('tbody', {}, rows),
    ),
  );
}

function headCell(head: string): View {
  const attributes = { scope: 'col' };
  return head.startsWith('#')
    ? el('th', { key: head, class: 'num', attributes }, head.slice(1))
    : el('th', { key: head, attributes }, head);
}
