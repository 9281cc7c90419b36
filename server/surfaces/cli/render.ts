import { existsSync } from 'node:fs';
import { agents } from '../../../protocol/agents.ts';
import { budgetSentence, limitSentence, otherLimits } from '../../../protocol/budgets.ts';
import { noFigure, toCount, toDuration, toMoney, toReward } from '../../../protocol/figures.ts';
import { integrityWords } from '../../../protocol/integrity.ts';
import { type ProxyStatus, proxy } from '../../../protocol/proxy.ts';
import { proxyWarnings } from '../../../protocol/proxyWarnings.ts';
import { runs, type TrialSummary } from '../../../protocol/runs.ts';
import { server } from '../../../protocol/server.ts';
import { erroredWords, trialWord } from '../../../protocol/stateWords.ts';
import { proofCaveat, tasks } from '../../../protocol/tasks.ts';
import { render } from './renderers.ts';
import { proofText } from './renderProof.ts';
import './renderReviews.ts';
import { rubricLines } from './renderRubric.ts';
import './renderSessions.ts';
import './renderSuites.ts';
import './renderTransfers.ts';
import { clip, formatTime, formatTokens, table } from './table.ts';
import { trialNotes } from './trialNotes.ts';

export { toText } from './renderers.ts';

render(proxy.members.status, status =>
  [
    status.state === 'listening' ? `Proxy listening on ${status.host}:${status.port}` : `Proxy ${status.state}`,
    `  exchanges recorded since the server started: ${status.exchanges}, open connections: ${status.openConnections}`,
    `  certificate authority: ${existsSync(status.caFile) ? status.caFile : 'none yet'}`,
    ...proxyWarnings(status).map(warning => `  WARNING: ${warning}`),
    ...budgetLines(status),
    ...(status.error === null ? [] : [`  ${status.error}`]),
  ].join('\n'),
);

render(proxy.members.start, status =>
  [`Proxy listening on ${status.host}:${status.port}`, ...budgetLines(status)].join('\n'),
);

/** Limits that are near or reached, and those in force that are not. */
function budgetLines(status: ProxyStatus): string[] {
  return [
    ...status.budgets.map(use => `  ${use.state === 'spent' ? 'STOPPED' : 'Nearly used up'}: ${budgetSentence(use)}`),
    ...otherLimits(status).map(limit => `  limit: ${limitSentence(limit)}`),
  ];
}

render(proxy.members.test, ({ ok, steps }) =>
  [
    ...steps.map(step => `${step.ok ? 'ok  ' : 'FAIL'}  ${step.name}: ${step.detail}`),
    ok ? 'The route works.' : 'The route does not work.',
  ].join('\n'),
);

render(tasks.members.list, ({ rows }) =>
  rows.length === 0
    ? 'No tasks in this repository. Record one with: codex-coach task start "What you are about to do"'
    : table(
        ['Task', 'State', 'Created', 'Title'],
        rows.map(row => [
          row.id,
          row.problem === null ? row.state : 'broken',
          formatTime(row.createdAt),
          clip(row.problem ?? row.title, 80),
        ]),
      ),
);

render(tasks.members.show, ({ task, kind, instruction, files, failToPass, passToPass }) =>
  [
    `${task.title} (${task.state})`,
    task.directory,
    '',
    instruction.trim(),
    '',
    ...(kind === 'code' ? [] : [`Kind: ${kind}`]),
    `Changed files: ${files.join(', ') || noFigure}`,
    `Must now pass: ${failToPass.join(', ') || noFigure}`,
    `Must still pass: ${passToPass.length}`,
    ...(task.proof === null ? [] : [proofText(task.proof)]),
    ...(task.problem === null ? [] : [`Problem: ${task.problem}`]),
  ].join('\n'),
);

render(tasks.members.check, ({ ready, findings }) =>
  [
    ...findings.map(finding => {
      const hint = finding.hint === null ? '' : `\n         ${finding.hint}`;
      return `${finding.severity.padEnd(7)}  ${finding.message}${hint}`;
    }),
    ready ? 'Ready to record.' : 'Not ready.',
  ].join('\n'),
);

render(tasks.members.fix, ({ actions }) =>
  actions.length === 0
    ? 'Nothing to mend.'
    : actions.map(action => `${action.done ? 'done ' : 'would'}  ${action.description}`).join('\n') +
      (actions.some(action => !action.done) ? '\nDo it with: codex-coach task fix --apply' : ''),
);

render(tasks.members.start, recording =>
  [
    `Recording "${recording.title}" from commit ${recording.startCommit.slice(0, 12)}.`,
    'Work, or let an agent work; then: codex-coach task end',
  ].join('\n'),
);
render(
  tasks.members.end,
  task => `Created task ${task.id}\n  ${task.directory}\nNext: codex-coach task prepare ${task.id}`,
);
render(tasks.members.discard, ({ discarded }) =>
  discarded ? 'Recording ended, no task written.' : 'No recording under way.',
);
render(tasks.members.recording, ({ recording }) =>
  recording === null
    ? 'No recording under way.'
    : `Recording "${recording.title}" since ${formatTime(recording.startedAt)}.`,
);
render(
  tasks.members.prepare,
  task => `Prepared task ${task.id}\n  ${task.directory}\nNext: codex-coach task validate ${task.id}`,
);
render(
  tasks.members.validate,
  task =>
    `${task.id} is ${task.state}.\n${task.proof === null ? '' : `${proofText(task.proof)}\n`}Next: codex-coach run ${task.id} --agent codex`,
);

render(runs.members.list, ({ rows }) =>
  rows.length === 0
    ? 'No runs yet. Start one with: codex-coach run <task> --agent codex'
    : table(
        ['Run', 'State', 'Started', 'Tasks', 'Agents', 'Trials', 'Reward', 'Tokens', 'Cost'],
        rows.map(row => [
          row.id,
          row.state,
          formatTime(row.createdAt),
          String(row.tasks.length),
          clip(row.agents.map(agent => agent.label ?? agent.id).join(', '), 40),
          [`${row.trialCounts.done}/${row.trialCounts.total}`, erroredWords(row.trialCounts.errored)]
            .filter(Boolean)
            .join(', '),
          toReward(row.meanReward),
          formatTokens(row.usage),
          toMoney(row.cost),
        ]),
        ['left', 'left', 'left', 'right', 'left', 'right', 'right', 'right', 'right'],
      ),
);

render(runs.members.show, ({ run, trials, regrades = [] }) =>
  [
    `Run ${run.id} (${[run.state, erroredWords(run.trialCounts.errored), run.executor].filter(Boolean).join(', ')})`,
    `  ${run.directory}`,
    '',
    trialTable(trials),
    '',
    ...trialNotes(trials, regrades),
    ...trials.flatMap(rubricLines),
    ...trials.flatMap(flagLines),
    ...run.notIsolated.map(line => `Not isolated: ${line}`),
  ].join('\n'),
);

render(runs.members.events, ({ events }) =>
  events
    .map(
      event =>
        `${event.at}  ${event.trialId ?? ''}  ${event.kind}${event.phase === null ? '' : ` ${event.phase}`}  ${event.text}`,
    )
    .join('\n'),
);
render(runs.members.cancel, run => `Run ${run.id} is ${run.state}.`);
render(runs.members.report, ({ file }) => file);
render(runs.members.compare, ({ agents: compared, pairs, summary }) =>
  [
    summary.join(' '),
    '',
    table(
      ['Agent', 'Reward', '95 % interval', 'Verdicts', 'Cost/trial', 'Tokens', 'Agent time'],
      compared.map(agent => [
        agent.label,
        toReward(agent.reward?.mean ?? null),
        agent.reward === null ? noFigure : `${toReward(agent.reward.low)} to ${toReward(agent.reward.high)}`,
        `${agent.verdicts}/${agent.trials}`,
        toMoney(agent.costPerTrial),
        toCount(agent.medianTokens),
        toDuration(agent.medianMs),
      ]),
      ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    ),
    ...pairs.map(
      pair =>
        `${pair.first} against ${pair.second}: ${pair.better} better, ${pair.worse} worse, ${pair.equal} equal, p = ${pair.pValue.toFixed(3)}, ${pair.isEnough ? 'enough evidence' : 'not enough evidence'}`,
    ),
  ].join('\n'),
);
render(runs.members.diff, ({ patch }) => patch);

render(agents.members.list, ({ rows }) =>
  table(
    ['Agent', 'Title', 'Version', 'State'],
    rows.map(row => [
      row.id,
      row.title,
      row.pinnedVersion ?? noFigure,
      row.installed ? (row.path ?? 'built in') : `not installed (codex-coach agents install ${row.id})`,
    ]),
  ),
);
render(
  agents.members.install,
  agent => `${agent.title} ${agent.pinnedVersion ?? ''} is installed: ${agent.path ?? 'built in'}`,
);
render(agents.members.executors, ({ rows, default: chosen }) =>
  table(
    ['Executor', 'State', 'Detail'],
    rows.map(row => [
      row.id === chosen ? `${row.id} (default)` : row.id,
      row.available ? 'available' : 'missing',
      row.detail,
    ]),
  ),
);

render(server.members.status, status =>
  [
    `Codex Coach ${status.version}, process ${status.pid}, since ${formatTime(status.startedAt)}`,
    `  home: ${status.home}`,
    // Who asks is one itself.
    `  other clients: ${Math.max(0, status.clients - 1)}, running trials: ${status.runningTrials}`,
    `  log: ${status.log}`,
  ].join('\n'),
);
render(server.members.stop, ({ stopping }) =>
  stopping ? 'The background server stops.' : 'The background server is in use and stays.',
);

/** What a person should look at before a trial's verdict is believed. */
export function flagLines({ id, flags = [] }: TrialSummary): string[] {
  return flags.map(({ kind, evidence, place }) => `Look at: ${id} ${integrityWords[kind]}: ${evidence} (${place})`);
}

/** Behind a task's name, when its verdicts say less than those of hidden tests and a proof. */
function proofMark({ taskProven, proofBasis }: TrialSummary): string {
  if (!taskProven) return ' (unproven)';
  return proofCaveat(proofBasis) === null ? '' : ' (weaker proof)';
}

/** One line per trial, as `run` and `runs show` print it. */
export function trialTable(trials: readonly TrialSummary[]): string {
  return table(
    ['Task', 'Agent', '#', 'State', 'Reward', 'Tokens', 'Cost', 'Agent time'],
    trials.map(trial => [
      `${trial.task}${proofMark(trial)}`,
      trial.agentLabel,
      String(trial.attempt),
      stateOf(trial),
      toReward(trial.reward),
      formatTokens(trial.usage),
      toMoney(trial.cost),
      toDuration(trial.agentMs),
    ]),
    ['left', 'left', 'right', 'left', 'right', 'right', 'right', 'right'],
  );
}

function stateOf(trial: TrialSummary): string {
  const state = trialWord(trial);
  return trial.reusedFrom === undefined && (trial.tries ?? 1) > 1 ? `${state} (try ${trial.tries})` : state;
}
