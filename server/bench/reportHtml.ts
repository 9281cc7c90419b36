import type { TrialEnd, TrialSummary } from '../../protocol/runs.ts';
import type { Cost } from '../../protocol/usage.ts';
import type { AgentRow, ReportModel, TaskRow } from './reportModel.ts';
import { reportStyle } from './reportStyle.ts';

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
<title>Run ${escapeHtml(run.id)}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<header><h1>Run ${escapeHtml(run.id)}</h1><p class="dim">${escapeHtml(headline(report))}</p></header>
<section class="sum" aria-label="Summary"><p><b>${escapeHtml(first)}</b> ${escapeHtml(rest.join(' '))}</p></section>
<section><h2>Agents</h2>${agentsTable(report.agents)}</section>
<section><h2>Tasks</h2>${tasksTable(report)}</section>
${failures(report)}
${errors.length === 0 ? '' : `<section><h2>Errors</h2><ul>${errors.map(errorItem).join('')}</ul></section>`}
<section><h2>What the sandbox does not isolate</h2><ul>${run.notIsolated.map(item).join('')}</ul></section>
<section><h2>How this was measured</h2>${measured(report)}</section>
<footer class="dim">Made by Codex Coach ${escapeHtml(version)}. This file is complete in itself: it loads nothing and sends nothing.</footer>
</main>
</body>
</html>
`;
}

function headline({ run, agents, tasks }: ReportModel): string {
  const parts = [
    `${agents.length} agents`,
    `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'}`,
    `${run.attempts} ${run.attempts === 1 ? 'attempt' : 'attempts'} each`,
  ];
  return `${parts.join(', ')} · ${run.createdAt.slice(0, 16).replace('T', ' ')} UTC · executor ${run.executor}`;
}

function agentsTable(agents: readonly AgentRow[]): string {
  const row = (agent: AgentRow) => `<tr><th scope="row"><b>${escapeHtml(agent.label)}</b>${agentNote(agent)}</th>
<td class="num"><b>${number(agent.meanReward, 2)}</b></td><td class="num">${agent.verdicts} of ${agent.trials}</td>
<td class="num">${agent.tokensPerTrial === null ? '–' : Math.round(agent.tokensPerTrial).toLocaleString('en')}</td>
<td class="num">${money(agent.costPerTrial)}</td><td class="num">${duration(agent.medianMs)}</td></tr>`;
  return `<table><thead><tr><th>Agent</th><th class="num">Reward</th><th class="num">Verdicts</th>
<th class="num">Tokens/trial</th><th class="num">Cost/trial</th><th class="num">Median time</th></tr></thead>
<tbody>${agents.map(row).join('\n')}</tbody></table>
<p class="cap">Reward is the mean over trials with a verdict. A cost of “–” means that nothing was paid.</p>`;
}

function agentNote({ model, version, isReplay, isControl }: AgentRow): string {
  const notes = [model, version, isReplay ? 'replay' : null, isControl ? 'control' : null].filter(
    note => note !== null,
  );
  return notes.length === 0 ? '' : ` <span class="dim">${escapeHtml(notes.join(', '))}</span>`;
}

function tasksTable({ agents, tasks }: ReportModel): string {
  const labels = agents.map(agent => agent.label);
  const row = ({ task, proven, attempts }: TaskRow) =>
    `<tr><th scope="row">${escapeHtml(task)}${proven ? '' : ' <span class="warn">unproven</span>'}</th>${labels
      .map(label => `<td class="num">${(attempts[label] ?? []).map(mark).join('')}</td>`)
      .join('')}</tr>`;
  return `<table><thead><tr><th>Task</th>${labels.map(label => `<th class="num">${escapeHtml(label)}</th>`).join('')}</tr></thead>
<tbody>${tasks.map(row).join('\n')}</tbody></table>
<p class="cap"><i class="mk y"></i> passed, <i class="mk n"></i> failed, <i class="mk e"></i> no verdict; one mark per attempt.</p>`;
}

function mark(trial: TrialSummary): string {
  const { reward, attempt, end } = trial;
  const kind = reward === null ? 'e' : reward === 1 ? 'y' : 'n';
  const told = reward === null ? `no verdict${end === null ? '' : `, ${endTexts[end]}`}` : `reward ${reward}`;
  const text = escapeHtml(`Attempt ${attempt}: ${told}`);
  return `<i class="mk ${kind}" role="img" title="${text}" aria-label="${text}"></i>`;
}

const endTexts: Readonly<Record<TrialEnd, string>> = {
  verified: 'tests failed',
  agentFailed: 'agent ended with an error',
  timedOut: 'timed out',
  budgetSpent: 'token limit reached',
  stalled: 'no reply of the model',
  cancelled: 'cancelled',
  lost: 'lost',
  errored: 'errored',
};

function failures({ agents }: ReportModel): string {
  const ends = (Object.keys(endTexts) as TrialEnd[]).filter(end => agents.some(agent => agent.failures[end]));
  if (ends.length === 0) return '';
  const head = agents.map(agent => `<th class="num">${escapeHtml(agent.label)}</th>`).join('');
  const rows = ends.map(
    end =>
      `<tr><th scope="row">${endTexts[end]}</th>${agents.map(agent => `<td class="num">${agent.failures[end] ?? 0}</td>`).join('')}</tr>`,
  );
  return `<section><h2>Trials that did not pass</h2><table><thead><tr><th>How they ended</th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></section>`;
}

function measured({ run, agents }: ReportModel): string {
  const { timeoutSec, maxTokens } = run.limits;
  const tokens = maxTokens === null ? 'no token limit' : `${maxTokens.toLocaleString('en')} tokens`;
  const versions = agents.filter(agent => agent.version !== null).map(agent => `${agent.label} ${agent.version}`);
  const facts: readonly [string, string][] = [
    ['Limits per trial', `${timeoutSec} s, ${tokens}; network only to the model, through the proxy`],
    [
      'Verdict',
      'hidden tests decide by their expected ids, in a fresh sandbox without network; a test that is skipped or missing has not passed',
    ],
    ['Tokens', 'as the model reported them, input and output'],
    ['Time', 'the agent’s own, without building and tests'],
    ['Agents', versions.join(', ') || '–'],
    ['Executor', run.executor],
    ['Repository', run.repository],
  ];
  return `<dl>${facts.map(([name, text]) => `<div><dt>${name}</dt><dd>${escapeHtml(text)}</dd></div>`).join('')}</dl>`;
}

function errorItem({ trial, message }: { trial: string; message: string }): string {
  return `<li><b>${escapeHtml(trial)}</b>: ${escapeHtml(message)}</li>`;
}

function item(text: string): string {
  return `<li>${escapeHtml(text)}</li>`;
}

function number(value: number | null, digits: number): string {
  return value === null ? '–' : value.toFixed(digits);
}

function money({ amountUsd, kind }: Cost): string {
  if (amountUsd !== null) return `$${amountUsd.toFixed(amountUsd < 0.1 ? 4 : 2)}`;
  return kind === 'unpriced' || kind === 'subscription' ? kind : '–';
}

function duration(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, character => entities[character] ?? '');
}
