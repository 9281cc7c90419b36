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

render(tasks.members.from, ({ task, source, notes }) =>
  [
    `Created task ${task.id} from a ${source}`,
    `  ${task.directory}`,
    ...notes.map(note => `  Note: ${note}`),
    `Next: codex-coach task edit ${task.id}, codex-coach task prepare ${task.id}`,
  ].join('\n'),
);

render(tasks.members.edit, ({ task, file, changed, lostProof, notes }) =>
  [
    changed ? `Changed ${file}` : file,
    ...notes.map(note => `  Note: ${note}`),
    ...(lostProof ? [`The proof of ${task.id} was of the old text. Next: codex-coach task validate ${task.id}`] : []),
  ].join('\n'),
);

render(tasks.members.export, ({ output, notes }) =>
  [`Wrote ${output}`, ...notes.map(note => `  Note: ${note}`)].join('\n'),
);

render(runs.members.export, ({ output, trials }) => `Wrote ${trials} ${plural(trials, 'trial')} to ${output}`);
