import { plural } from '../../../protocol/figures.ts';
import { runs } from '../../../protocol/runs.ts';
import { tasks } from '../../../protocol/tasks.ts';
import { render } from './renderers.ts';

render(tasks.members.import, ({ task, format, notes }) =>
  [
    `Imported ${task.id} from ${format}`,
    `  ${task.directory}`,
    ...notes.map(note => `  Note: ${note}`),
    task.problem ?? `Next: codex-coach task validate ${task.id}`,
  ].join('\n'),
);

render(tasks.members.export, ({ output, notes }) =>
  [`Wrote ${output}`, ...notes.map(note => `  Note: ${note}`)].join('\n'),
);

render(runs.members.export, ({ output, trials }) => `Wrote ${trials} ${plural(trials, 'trial')} to ${output}`);
