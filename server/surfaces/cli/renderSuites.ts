import { noFigure } from '../../../protocol/figures.ts';
import { type Suite, suites } from '../../../protocol/suites.ts';
import { render } from './renderers.ts';
import { clip, table } from './table.ts';

render(suites.members.list, ({ rows }) =>
  rows.length === 0
    ? 'No suites in this repository. Make one with: codex-coach suite create "Title" --tasks <task> <task>'
    : table(
        ['Suite', 'Tasks', 'State', 'Title'],
        rows.map(row => [row.name, String(row.tasks.length), stateOf(row), clip(row.problem ?? row.title, 80)]),
        ['left', 'right', 'left', 'left'],
      ),
);
render(suites.members.show, suiteText);
render(suites.members.create, suite => `${suiteText(suite)}\nNext: codex-coach run --suite ${suite.name}`);
render(suites.members.add, suiteText);
render(suites.members.remove, suiteText);
render(suites.members.delete, ({ deleted }) => `The suite ${deleted} is deleted. Its tasks stay.`);

function stateOf({ problem, missing }: Suite): string {
  if (problem !== null) return 'broken';
  return missing.length === 0 ? 'ready' : `${missing.length} missing`;
}

function suiteText({ name, title, description, file, tasks, missing, problem }: Suite): string {
  return [
    title === name ? name : `${name}: ${title}`,
    file,
    ...(description === '' ? [] : [description]),
    ...(problem === null ? [] : [`Problem: ${problem}`]),
    ...tasks.map(task => `  ${task}${missing.includes(task) ? '  (missing)' : ''}`),
    ...(tasks.length === 0 && problem === null ? [`  Tasks: ${noFigure}`] : []),
  ].join('\n');
}
