import { plural } from '../../../protocol/figures.ts';
import { toMarkup } from './escape.ts';
import { flagsTable } from './flagsTable.ts';
import type { ReportModel } from './model.ts';
import { originsTable, stepsTable } from './originsTable.ts';
import { rubricTable } from './rubricTable.ts';
import { scatter } from './scatter.ts';
import { reportStyle } from './style.ts';
import { agentsTable, failuresTable, pairsTable, tasksTable } from './tables.ts';

/** The report as one HTML file that loads nothing and runs nothing. Everything that agents wrote is escaped. */
export function toHtml(report: ReportModel, version: string): string {
  const { run, summary, errors } = report;
  const [first = '', ...rest] = summary;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Run ${toMarkup(run.id)}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<header><h1>Run ${toMarkup(run.id)}</h1><p class="dim">${toMarkup(headline(report))}</p></header>
<section class="sum" aria-label="Summary"><p><b>${toMarkup(first)}</b> ${toMarkup(rest.join(' '))}</p></section>
${part('Verdict', pairsTable(report))}
${part('Agents', agentsTable(report))}
<div class="two">${part('Cost against reward', scatter(report.agents))}${part('Trials that did not pass', failuresTable(report))}</div>
${part('Tasks', tasksTable(report))}
${part('Rubric', rubricTable(report))}
${part('Integrity', flagsTable(report))}
${part('Steps', stepsTable(report))}
${part('Reused and regraded', originsTable(report))}
${part('Errors', list(errors.map(({ trial, message }) => `<b>${toMarkup(trial)}</b>: ${toMarkup(message)}`)))}
${part('What the sandbox does not isolate', list(run.notIsolated.map(toMarkup)))}
${part('How this was measured', measured(report))}
<footer class="dim">Made by Codex Coach ${toMarkup(version)}. This file is complete in itself: it loads nothing and sends nothing.</footer>
</main>
</body>
</html>
`;
}

function headline({ run, agents, tasks }: ReportModel): string {
  const parts = [
    `${agents.length} ${plural(agents.length, 'agent')}`,
    `${tasks.length} ${plural(tasks.length, 'task')}`,
    `${run.attempts} ${plural(run.attempts, 'attempt')} each`,
  ];
  return `${parts.join(', ')} · ${run.createdAt.slice(0, 16).replace('T', ' ')} UTC · executor ${run.executor}`;
}

/** A section, left out when there is nothing in it. */
function part(title: string, content: string): string {
  return content === '' ? '' : `<section><h2>${title}</h2>${content}</section>`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? '' : `<ul>${items.map(item => `<li>${item}</li>`).join('')}</ul>`;
}

function measured({ run, agents, pairs }: ReportModel): string {
  const { timeoutSec, maxTokens } = run.limits;
  const tokens = maxTokens === null ? 'no token limit' : `${maxTokens.toLocaleString('en')} tokens`;
  const versions = agents.filter(agent => agent.version !== null).map(agent => `${agent.label} ${agent.version}`);
  const facts: readonly (readonly [string, string] | null)[] = [
    ['Limits per trial', `${timeoutSec} s, ${tokens}; network only to the model, through the proxy`],
    [
      'Verdict',
      'hidden tests decide by their expected ids, in a fresh sandbox without network; a test that is skipped or missing has not passed',
    ],
    [
      'Reward',
      'mean over tasks of the mean of their attempts that reached a verdict, with Wilson’s 95 % interval; attempts at one task count as far as they differ',
    ],
    pairs.length === 0
      ? null
      : [
          'Comparison',
          'on the tasks that both agents have verdicts of: McNemar’s exact test for single attempts that pass or fail, else a sign-flip permutation of the tasks; p is adjusted by Holm for the pairs shown; intervals by resampling tasks',
        ],
    ['pass@k, pass^k', 'unbiased estimates of the chance that one, or all, of k attempts solve a task'],
    ['Tokens', 'as the model reported them, input and output'],
    ['Agent time', 'the agent’s own, without building and tests'],
    ['Agents', versions.join(', ') || '–'],
    ['Executor', run.executor],
    ['Repository', run.repository],
  ];
  const rows = facts.filter(fact => fact !== null);
  return `<dl>${rows.map(([name, text]) => `<div><dt>${name}</dt><dd>${toMarkup(text)}</dd></div>`).join('')}</dl>`;
}
