import type { AgentFigures, ComparedTask, PairVerdict } from '../../../protocol/comparison.ts';
import { toCount, toDuration, toMoney, toReward } from '../../../protocol/figures.ts';
import { failureWords, trialStateWord } from '../../../protocol/stateWords.ts';
import { proofCaveat } from '../../../protocol/tasks.ts';
import { TrialEnd } from '../../../protocol/trialEnd.ts';
import { trialState } from '../../../protocol/trialState.ts';
import { mean } from '../statistics/estimate.ts';
import { toMarkup } from './escape.ts';
import type { ReportModel } from './model.ts';
import { shapeOf } from './scatter.ts';
import { pText, settling } from './summary.ts';

export function pairsTable({ pairs }: ReportModel): string {
  if (pairs.length === 0) return '';
  const row = (pair: PairVerdict) => `<tr><td class="${pair.isEnough ? 'ok' : 'warn'}">${evidence(pair)}</td>
<td>${sentence(pair)}</td><td class="num">${pair.better} / ${pair.worse} / ${pair.equal}</td>
<td class="num"><b>${signed(pair.difference)}</b></td><td class="num">${signed(pair.low)} to ${signed(pair.high)}</td>
<td class="num">${pText(pair.pValue)}</td></tr>`;
  return `<table><thead><tr><th>Evidence</th><th>In words</th><th class="num">Better / worse / equal</th>
<th class="num">Difference</th><th class="num">95 % interval</th><th class="num">Paired test</th></tr></thead>
<tbody>${pairs.map(row).join('\n')}</tbody></table>`;
}

function evidence({ isEnough }: PairVerdict): string {
  return isEnough ? 'Enough evidence' : 'Not enough evidence';
}

function sentence({ first, second, tasks, better, isEnough, moreTasks }: PairVerdict): string {
  const [a, b] = [first, second].map(label => `<b>${toMarkup(label)}</b>`);
  if (isEnough) return `${a} beats ${b} on ${better} of ${tasks} tasks`;
  if (moreTasks === null) return `${a} against ${b}: no difference was seen`;
  if (moreTasks === 0) return `${a} against ${b}: the pairs together leave it open`;
  return `${a} against ${b}: ${settling(moreTasks)} would settle it, if the difference holds`;
}

export function agentsTable({ agents }: ReportModel): string {
  const most = Math.max(1, ...agents.flatMap(agent => agent.passRates.map(rate => rate.k)));
  const many = most > 1 ? `<th class="num">pass@${most}</th><th class="num">pass^${most}</th>` : '';
  const row = (agent: AgentFigures) => {
    const rate = agent.passRates.find(({ k }) => k === most);
    const figures = [
      `<b>${toReward(agent.reward?.mean ?? null)}</b>`,
      agent.reward === null ? '–' : `${toReward(agent.reward.low)} to ${toReward(agent.reward.high)}`,
      ...(most > 1 ? [toReward(rate?.passAtK ?? null), toReward(rate?.passHatK ?? null)] : []),
      `${agent.verdicts} of ${agent.trials}`,
      toMoney(agent.costPerTrial),
      toCount(agent.medianTokens),
      toDuration(agent.medianMs),
    ];
    return `<tr><th scope="row">${shapeOf(agents, agent)}<b>${toMarkup(agent.label)}</b>${note(agent)}</th>
<td class="ai">${interval(agent)}</td>${figures.map(figure => `<td class="num">${figure}</td>`).join('')}</tr>`;
  };
  return `<table><thead><tr><th>Agent</th><th class="ai"><span class="axis"><i>0</i><i>0.5</i><i>1</i></span></th>
<th class="num">Reward</th><th class="num">95 % interval</th>${many}<th class="num">Verdicts</th>
<th class="num">Cost/trial</th><th class="num">Tokens</th><th class="num">Agent time</th></tr></thead>
<tbody>${agents.map(row).join('\n')}</tbody></table>
<p class="cap">Tokens and time are medians per trial. A cost of “–” means that nothing was paid.</p>`;
}

function note({ model, version, isReplay, isControl }: AgentFigures): string {
  const notes = [model, version, isReplay ? 'replay' : null, isControl ? 'control' : null].filter(
    known => known !== null,
  );
  return notes.length === 0 ? '' : ` <span class="dim">${toMarkup(notes.join(', '))}</span>`;
}

/** The interval as a bar on a scale from 0 to 1, with a mark at the mean. */
function interval({ reward }: AgentFigures): string {
  if (reward === null) return '';
  const percent = (share: number) => `${(share * 100).toFixed(1)}%`;
  const label = `${toReward(reward.mean)}, 95 % interval ${toReward(reward.low)} to ${toReward(reward.high)}`;
  return `<span class="iv" role="img" aria-label="${label}"><s style="left:${percent(reward.low)};width:${percent(
    reward.high - reward.low,
  )}"></s><i style="left:${percent(reward.mean)}"></i></span>`;
}

export function tasksTable({ agents, tasks }: ReportModel): string {
  if (tasks.length === 0) return '';
  const row = ({ task, attempts, ...rest }: ComparedTask) =>
    `<tr><th scope="row">${toMarkup(task)}${proofMark(rest)}</th>${attempts
      .map(own => `<td class="num">${own.map(mark).join('')}<span class="mv">${taskMean(own)}</span></td>`)
      .join('')}</tr>`;
  const heads = agents.map(({ label }) => `<th class="num name">${toMarkup(label)}</th>`).join('');
  return `<table><thead><tr><th>Task</th>${heads}</tr></thead>
<tbody>${tasks.map(row).join('\n')}</tbody></table>
<p class="cap"><i class="mk y"></i> passed, <i class="mk p"></i> in part, <i class="mk n"></i> failed, <i class="mk e"></i> no verdict; one mark per attempt. Tasks on which agents disagree the most come first.</p>${caveats(tasks)}`;
}

function proofMark({ proven, basis }: Pick<ComparedTask, 'proven' | 'basis'>): string {
  const mark = proven ? proofCaveat(basis) && 'weaker proof' : 'unproven';
  return mark === null ? '' : ` <span class="warn">${mark}</span>`;
}

function caveats(tasks: readonly ComparedTask[]): string {
  const told = new Set(tasks.filter(({ proven }) => proven).map(({ basis }) => proofCaveat(basis)));
  return [...told].map(caveat => (caveat === null ? '' : `\n<p class="cap">${toMarkup(caveat)}</p>`)).join('');
}

type Attempt = ComparedTask['attempts'][number][number];

function taskMean(attempts: readonly Attempt[]): string {
  const rewards = attempts.map(({ reward }) => reward).filter(reward => reward !== null);
  return rewards.length === 0 ? '–' : toReward(mean(rewards));
}

function mark({ reward, end }: Attempt, index: number): string {
  const kind = reward === null ? 'e' : reward === 1 ? 'y' : reward > 0 ? 'p' : 'n';
  const state = trialStateWord(trialState({ phase: 'done', reward, end }));
  const text = toMarkup(`Attempt ${index + 1}: ${state}, ${reward === null ? 'no verdict' : `reward ${reward}`}`);
  return `<i class="mk ${kind}" role="img" title="${text}" aria-label="${text}"></i>`;
}

export function failuresTable({ agents }: ReportModel): string {
  const ends = TrialEnd.options.filter(end => agents.some(agent => agent.failures[end]));
  if (ends.length === 0) return '';
  const heads = agents.map(agent => `<th class="num name">${toMarkup(agent.label)}</th>`).join('');
  const rows = ends.map(
    end =>
      `<tr><th scope="row">${failureWords(end)}</th>${agents.map(agent => `<td class="num">${agent.failures[end] ?? 0}</td>`).join('')}</tr>`,
  );
  return `<table><thead><tr><th>Why trials failed</th>${heads}</tr></thead><tbody>${rows.join('')}</tbody></table>
<p class="cap">Errored and lost trials are faults of the machine: they have no reward and count in no mean.</p>`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
}
