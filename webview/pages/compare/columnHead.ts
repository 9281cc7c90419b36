import type { AgentFigures } from '../../../protocol/comparison.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { el, type View } from '../../components/element.ts';
import { agentName, columnTitle } from './figures.ts';

/** The agent above its model, and both above what names its run: a column is as wide as what stands in it. */
export function columnHead(agent: AgentFigures): View {
  const [name = '', model] = agentName(agent).split(/(?<=^[^/]+\/)/);
  const parts = [name, model].filter(part => part !== undefined);
  return el(
    'th',
    { key: agent.label, class: 'num column', title: columnTitle(agent), attributes: { scope: 'col' } },
    parts.map((part, index) => el('span', { key: String(index), class: 'name' }, visible(part))),
    agent.runName === null ? null : el('span', { key: 'run', class: 'of-run' }, ` ${agent.runName}`),
  );
}
