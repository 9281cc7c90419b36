import * as l10n from '@vscode/l10n';
import { sharedVerdicts } from '../../../protocol/comparison.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { el, type View } from '../../components/element.ts';
import { heading, note } from '../../components/layout.ts';
import { serverNotes } from '../../components/serverNotes.ts';
import { button } from '../../components/toolkit.ts';
import { agentCount, taskCount, verdictCount } from '../../components/words.ts';
import type { CompareContext } from './context.ts';

/** What is compared, and what stands in the way of believing it. */
export function header(context: CompareContext): View {
  const { comparison, runs, actions } = context;
  const verdicts = comparison.agents.reduce((sum, agent) => sum + agent.verdicts - sharedVerdicts(agent), 0);
  const words = [
    `${agentCount(comparison.agents.length)} × ${taskCount(comparison.tasks.length)}`,
    verdictCount(verdicts),
    runs.map(run => run.id).join(', '),
  ];
  return el(
    'header',
    { key: 'header', class: 'hd' },
    heading(
      el('h1', { class: 'end' }, l10n.t('Compare agents')),
      { text: visible(words.join(' · ')), title: words.join(' · ') },
      button({ id: 'choose', onClick: actions.chooseRuns }, l10n.t('Choose runs…')),
    ),
    ...serverNotes(context, l10n.t('Verdicts are kept.'), actions.restartServer),
    ...caveats(context),
  );
}

function caveats({ comparison, runs }: CompareContext): View[] {
  const shown: View[] = [];
  const running = runs.filter(run => run.state === 'running').length;
  if (running > 0) {
    const title = running === 1 ? l10n.t('1 run not ended.') : l10n.t('{0} runs not ended.', running);
    const words = l10n.t('Figures cover what has ended; a verdict taken at a lucky moment proves nothing.');
    shown.push(note('warning', title, words));
  }
  const limits = new Set(runs.map(run => JSON.stringify(run.limits)));
  if (limits.size > 1) {
    const words = l10n.t('These runs gave their agents different time, tokens or money.');
    shown.push(note('warning', l10n.t('Limits differ.'), words));
  }
  const unproven = comparison.tasks.filter(task => !task.proven).length;
  if (unproven === 1) {
    const words = l10n.t('It is marked below; its rewards may mislead.');
    shown.push(note('warning', l10n.t('1 task not proven.'), words));
  } else if (unproven > 1) {
    const words = l10n.t('They are marked below; their rewards may mislead.');
    shown.push(note('warning', l10n.t('{0} tasks not proven.', unproven), words));
  }
  return shown;
}
