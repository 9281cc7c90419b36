import { visible } from '../../../protocol/visibleText.ts';
import { el, type View } from '../../components/element.ts';
import { heading, note } from '../../components/layout.ts';
import { serverNotes } from '../../components/serverNotes.ts';
import { button } from '../../components/toolkit.ts';
import { count } from '../../components/words.ts';
import type { CompareContext } from './context.ts';

/** What is compared, and what stands in the way of believing it. */
export function header(context: CompareContext): View {
  const { comparison, runs, actions } = context;
  const verdicts = comparison.agents.reduce((sum, agent) => sum + agent.verdicts, 0);
  const words = [
    `${count(comparison.agents.length, 'agent')} × ${count(comparison.tasks.length, 'task')}`,
    count(verdicts, 'verdict'),
    runs.map(run => run.id).join(', '),
  ];
  return el(
    'header',
    { key: 'header', class: 'hd' },
    heading(
      el('h1', { class: 'end' }, 'Compare agents'),
      { text: visible(words.join(' · ')), title: words.join(' · ') },
      button({ id: 'choose', onClick: actions.chooseRuns }, 'Choose runs…'),
    ),
    ...serverNotes(context, 'Verdicts are kept.', actions.restartServer),
    ...caveats(context),
  );
}

function caveats({ comparison, runs }: CompareContext): View[] {
  const shown: View[] = [];
  const running = runs.filter(run => run.state === 'running');
  if (running.length > 0) {
    const words = 'Figures cover what has ended; a verdict taken at a lucky moment proves nothing.';
    shown.push(note('warning', `${count(running.length, 'run')} not ended.`, words));
  }
  const limits = new Set(runs.map(run => JSON.stringify(run.limits)));
  if (limits.size > 1) {
    shown.push(note('warning', 'Limits differ.', 'These runs gave their agents different time, tokens or money.'));
  }
  const unproven = comparison.tasks.filter(task => !task.proven).length;
  if (unproven > 0) {
    const words = 'They are marked below; their rewards may mislead.';
    shown.push(note('warning', `${count(unproven, 'task')} not proven.`, words));
  }
  return shown;
}
