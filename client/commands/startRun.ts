import * as vscode from 'vscode';
import type { AgentInfo } from '../../protocol/agents.ts';
import { toMoney } from '../../protocol/figures.ts';
import type { AgentChoice, RunPlan, RunSummary } from '../../protocol/runs.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';
import type { Coach } from '../coach.ts';
import { chosenJudge } from '../judge.ts';
import { askText, showInformation } from '../messages.ts';
import { setting } from '../settings.ts';
import { pickSession, pickSome, tasksToPick } from './picks.ts';

type AgentItem = vscode.QuickPickItem & { readonly agent: AgentInfo; readonly replay: boolean };

/** Asks which agents run on which tasks and how often, confirms once, and starts. Undefined when dismissed. */
export async function askAndStartRun(coach: Coach, chosen: readonly TaskSummary[]): Promise<RunSummary | undefined> {
  const tasks = chosen.length > 0 ? chosen : await pickTasks(coach);
  const repository = tasks?.[0]?.repository;
  if (tasks === undefined || repository === undefined) return undefined;
  const agents = await pickAgents(coach, namedAgents(tasks));
  if (agents === undefined) return undefined;
  const attempts = await pickAttempts();
  if (attempts === undefined) return undefined;
  return confirmAndStart(coach, { repository, tasks: [...tasks], agents, attempts });
}

async function pickTasks(coach: Coach): Promise<TaskSummary[] | undefined> {
  const runnable = await tasksToPick(coach, 'runnable');
  if (runnable === undefined) return undefined;
  const items = runnable.map(task => ({
    label: task.title || task.id,
    description: task.state === 'proven' ? vscode.l10n.t('proven') : vscode.l10n.t('not proven'),
    picked: task.state === 'proven',
    task,
  }));
  const picked = await pickSome(items, { title: vscode.l10n.t('Run Agents on Tasks (1/3): Tasks') });
  return picked?.map(item => item.task);
}

/** Agents that the tasks' files name, with the models that they name: `codex`, `codex/gpt-5.5`. */
function namedAgents(tasks: readonly TaskSummary[]): ReadonlyMap<string, string | null> {
  const named = tasks.flatMap(task => task.agents ?? []).map(text => /^([^/=]+)(?:\/([^=]+))?/.exec(text));
  return new Map(named.flatMap(found => (found?.[1] === undefined ? [] : [[found[1], found[2] ?? null]])));
}

async function pickAgents(coach: Coach, named: ReadonlyMap<string, string | null>): Promise<AgentChoice[] | undefined> {
  const { rows } = await coach.api.agents.list({});
  // Others need more than a tick: an argv template, a file of patches. They are given on the command line.
  const items = agentItems(
    rows.filter(agent => agent.id !== 'command' && agent.id !== 'predictions'),
    named,
  );
  const picked = await pickSome(items, { title: vscode.l10n.t('Run Agents on Tasks (2/3): Agents') });
  if (picked === undefined) return undefined;
  const choices: AgentChoice[] = [];
  for (const item of picked) {
    if (!('agent' in item)) continue;
    const { agent, replay } = item;
    const recording = replay ? await pickRecording(coach, agent.title) : null;
    if (recording === undefined) return undefined;
    const model = replay ? null : (named.get(agent.id) ?? null);
    choices.push({ id: agent.id, model, label: null, command: null, replay: recording });
  }
  return choices;
}

/** What costs nothing stands first; what the tasks name is ticked. */
function agentItems(
  rows: readonly AgentInfo[],
  named: ReadonlyMap<string, string | null>,
): (AgentItem | vscode.QuickPickItem)[] {
  const live = (agent: AgentInfo, description: string): AgentItem => ({
    ...{ label: agent.title, description, agent, replay: false },
    picked: named.has(agent.id),
  });
  const programs = rows.filter(agent => agent.pinnedVersion !== null);
  const version = (agent: AgentInfo) =>
    `${agent.id} ${agent.pinnedVersion}${agent.installed ? '' : `, ${vscode.l10n.t('installed on first use')}`}`;
  // Short: a row can't be clicked where its group's heading stands.
  const heading = (label: string) => ({ label, kind: vscode.QuickPickItemKind.Separator });
  return [
    heading(vscode.l10n.t('Without a model')),
    ...rows.filter(agent => agent.pinnedVersion === null).map(agent => live(agent, agent.id)),
    heading(vscode.l10n.t('Replayed, at no cost')),
    ...programs.map(agent => ({
      label: vscode.l10n.t('{0} by replay…', agent.title),
      description: version(agent),
      agent,
      replay: true,
    })),
    heading(vscode.l10n.t('Can cost money')),
    ...programs.map(agent => live(agent, version(agent))),
  ];
}

/** A session recorded before, or a recording file. */
async function pickRecording(coach: Coach, agentTitle: string): Promise<string | undefined> {
  const title = vscode.l10n.t('What answers {0}?', agentTitle);
  const session = { label: vscode.l10n.t('A recorded session…'), source: 'session' as const };
  const file = { label: vscode.l10n.t('A recording file…'), source: 'file' as const };
  const chosen = await vscode.window.showQuickPick([session, file], { title });
  if (chosen === undefined) return undefined;
  if (chosen.source === 'session') {
    const picked = await pickSession(coach, title);
    return picked && `session:${picked.id}`;
  }
  const [picked] = (await vscode.window.showOpenDialog({ title, filters: { [title]: ['json', 'jsonl'] } })) ?? [];
  return picked?.fsPath;
}

async function pickAttempts(): Promise<number | undefined> {
  const text = await askText({
    title: vscode.l10n.t('Run Agents on Tasks (3/3): Attempts'),
    prompt: vscode.l10n.t('How often each agent tries each task, 1 to 100.'),
    value: '2',
    validateInput: value =>
      /^\d{1,3}$/.test(value.trim()) && Number(value) >= 1 && Number(value) <= 100
        ? undefined
        : vscode.l10n.t('A whole number from 1 to 100.'),
  });
  return text === undefined ? undefined : Number(text);
}

interface Plan {
  readonly repository: string;
  readonly tasks: readonly TaskSummary[];
  readonly agents: readonly AgentChoice[];
  readonly attempts: number;
}

/** Says what will be run and what it does not isolate, asks once, and starts. A key that is missing is asked for. */
export async function confirmAndStart(coach: Coach, plan: Plan): Promise<RunSummary | undefined> {
  const scope = vscode.Uri.file(plan.repository);
  const executor = setting('run.executor', scope);
  const timeoutSec = setting('run.timeoutSeconds', scope);
  const trials = plan.tasks.length * plan.agents.length * plan.attempts;
  const unproven = plan.tasks.filter(task => task.state !== 'proven');
  const start = vscode.l10n.t('Start Run');
  const detail = [
    vscode.l10n.t('Tasks: {0}.', plan.tasks.map(task => task.title || task.id).join(', ')),
    vscode.l10n.t('Agents: {0}. Attempts: {1}.', plan.agents.map(agentWords).join(', '), plan.attempts),
    vscode.l10n.t('Each trial ends after {0} minutes at the latest.', Math.ceil(timeoutSec / 60)),
    ...(await plannedWords(coach, plan, executor)),
    await executorWords(coach, executor),
    ...(unproven.length === 0
      ? []
      : [vscode.l10n.t('Not proven, so rewards may mislead: {0}.', unproven.map(task => task.title).join(', '))]),
  ].join('\n');
  const chosen = await showInformation(
    trials === 1 ? vscode.l10n.t('Start 1 trial?') : vscode.l10n.t('Start {0} trials?', trials),
    { modal: true, detail },
    start,
  );
  if (chosen !== start) return undefined;
  return coach.keys.with(keys =>
    coach.api.runs.start({
      repository: plan.repository,
      tasks: plan.tasks.map(task => task.id),
      agents: [...plan.agents],
      attempts: plan.attempts,
      limits: { timeoutSec },
      executor,
      // Who starts a run here means to see it run; the command line takes over what is known.
      fresh: true,
      unproven: unproven.length > 0,
      ...chosenJudge(),
      keys,
    }),
  );
}

/** What the run may cost, and which tasks lack a judge. */
async function plannedWords(
  coach: Coach,
  { repository, tasks, agents, attempts }: Plan,
  executor: string,
): Promise<string[]> {
  const ids = tasks.map(task => task.id);
  const asked = { repository, tasks: ids, agents: [...agents], attempts, executor, fresh: true, unproven: true };
  const planned = await coach.keys.with(keys => coach.api.runs.plan({ ...asked, ...chosenJudge(), keys }));
  if (planned.unjudged === undefined) return [costWords(planned)];
  const unjudged = vscode.l10n.t(
    'No judge is set (setting judge.model), and these tasks have criteria, so trials of them end without a verdict: {0}.',
    planned.unjudged.map(name => tasks.find(({ id }) => id === name)?.title || name).join(', '),
  );
  return [costWords(planned), unjudged];
}

/** What the run may cost, by earlier trials. Never a guess: without any, it says so. */
function costWords({ mayCost, costUsd }: RunPlan): string {
  if (!mayCost) return vscode.l10n.t('Cost: none, no model is called.');
  if (costUsd === null) return vscode.l10n.t('Cost: not known, there are too few earlier trials to go by.');
  return vscode.l10n.t('Cost: about {0}, by earlier trials.', toMoney({ kind: 'priced', amountUsd: costUsd }));
}

function agentWords({ id, replay }: AgentChoice): string {
  return replay === null ? id : vscode.l10n.t('{0} by replay', id);
}

async function executorWords(coach: Coach, wanted: string): Promise<string> {
  const { rows, default: fallback } = await coach.api.agents.executors({});
  const id = wanted === 'auto' ? fallback : wanted;
  const executor = rows.find(row => row.id === id);
  if (executor === undefined) return vscode.l10n.t('Executor: {0}.', id);
  const limits = executor.notIsolated.length === 0 ? '' : ` ${executor.notIsolated.join(' ')}`;
  return `${vscode.l10n.t('Executor: {0}.', executor.title)}${limits}`;
}
