import * as l10n from '@vscode/l10n';
import { toCount, toDuration, toMoney, toReward } from '../../../protocol/figures.ts';
import { el, type View } from '../../components/element.ts';
import { middle, section } from '../../components/layout.ts';
import type { RunContext } from './context.ts';
import type { AgentFigures } from './runModel.ts';

interface Column {
  readonly head: string;
  /** What the figure is, where its name alone leaves that open. */
  readonly about?: string;
  figure(agent: AgentFigures): string | View;
}

/** Early figures per agent, without a verdict on which is better. */
export function agentTable({ model }: RunContext): View {
  const running = model.run?.state === 'running';
  const agents = model.byAgent();
  const columns = columnsOf(agents);
  return section(
    'agents',
    running ? l10n.t('By agent so far') : l10n.t('By agent'),
    running ? l10n.t('comparison waits for all attempts') : null,
    el(
      'div',
      { class: 'scrollx ba-frame' },
      el(
        'table',
        { class: 'ba', attributes: { 'aria-labelledby': 'h-agents' } },
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            el('th', { class: 'wide', attributes: { scope: 'col' } }, l10n.t('Agent')),
            columns.map(({ head, about }) =>
              el('th', { class: 'num', attributes: { scope: 'col', title: about } }, head),
            ),
          ),
        ),
        el(
          'tbody',
          {},
          agents.map(agent =>
            el(
              'tr',
              { key: agent.label },
              el('th', { class: 'wide', attributes: { scope: 'row' } }, middle(agent.label)),
              columns.map(({ figure }) => el('td', { class: 'num' }, figure(agent))),
            ),
          ),
        ),
      ),
    ),
  );
}

/** Verdicts are counted as in the report. What the machine failed is apart, where there is any. */
function columnsOf(agents: readonly AgentFigures[]): Column[] {
  const errored: Column = {
    head: l10n.t('Errored'),
    about: l10n.t('Faults of the machine: no reward, counted in no mean'),
    figure: agent => String(agent.errored),
  };
  return [
    { head: l10n.t('Verdicts'), figure: ({ verdicts, total }) => l10n.t('{0} of {1}', verdicts, total) },
    ...(agents.some(agent => agent.errored > 0) ? [errored] : []),
    { head: l10n.t('Reward'), figure: ({ meanReward }) => el('b', { class: 'strong' }, toReward(meanReward)) },
    { head: l10n.t('Cost'), figure: ({ cost }) => toMoney(cost) },
    { head: l10n.t('Tokens'), figure: ({ tokens }) => toCount(tokens) },
    {
      head: l10n.t('Agent time'),
      about: l10n.t('The median over its trials of the time that the agent itself took, without building and tests'),
      figure: ({ medianAgentMs }) => toDuration(medianAgentMs),
    },
  ];
}
