import * as l10n from '@vscode/l10n';
import { noFigure, toCount, toDuration, toReward } from '../../../protocol/figures.ts';
import { el, type View } from '../../components/element.ts';
import { section } from '../../components/layout.ts';
import type { RunContext } from './context.ts';

/** Early figures per agent, without a verdict on which is better. */
export function agentTable({ model }: RunContext): View {
  const running = model.run?.state === 'running';
  const heads = [l10n.t('Agent'), l10n.t('Done'), l10n.t('Reward'), l10n.t('Cost'), l10n.t('Tokens'), l10n.t('Median')];
  return section(
    'agents',
    running ? l10n.t('By agent so far') : l10n.t('By agent'),
    running ? l10n.t('comparison waits for all attempts') : null,
    el(
      'table',
      { class: 'ba' },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          heads.map((head, place) => el('th', place === 0 ? {} : { class: 'num' }, head)),
        ),
      ),
      el(
        'tbody',
        {},
        model
          .byAgent()
          .map(agent =>
            el(
              'tr',
              { key: agent.label },
              el('td', { class: 'end', title: agent.label }, agent.label),
              el('td', { class: 'num' }, l10n.t('{0} of {1}', agent.done, agent.total)),
              el('td', { class: 'num' }, el('b', { class: 'strong' }, toReward(agent.meanReward))),
              el('td', { class: 'num' }, agent.costUsd === null ? noFigure : `$${agent.costUsd.toFixed(2)}`),
              el('td', { class: 'num' }, toCount(agent.tokens)),
              el('td', { class: 'num' }, toDuration(agent.medianAgentMs)),
            ),
          ),
      ),
    ),
  );
}
