import * as vscode from 'vscode';
import type { RunSummary } from '../protocol/runs.ts';
import type { Suite } from '../protocol/suites.ts';
import type { TaskSummary } from '../protocol/tasks.ts';
import type { Coach } from './coach.ts';
import {
  fileScheme,
  type Milestone,
  milestoneKey,
  milestones,
  type Presence,
  presenceKey,
  presences,
  runPanelType,
} from './contributions.ts';
import { repositories, rowsOfAll } from './repository.ts';

/** Events come in bursts while agents work. */
const lookMs = 1000;
const memoryKey = 'milestones';

interface Seen {
  /** A repository's tasks could be listed. */
  readonly repository: boolean;
  readonly tasks: readonly TaskSummary[];
  readonly suites: readonly Suite[];
  readonly runs: readonly RunSummary[];
  readonly sessions: boolean;
}

/**
 * Keeps the context keys that say what this window has, on which the palette depends, and what the person has come to,
 * with which steps of the walkthrough end. Both follow what is there, not what was clicked.
 */
export function trackPresence(
  coach: Coach,
  memory: vscode.Memento,
  anySession: () => Promise<boolean>,
): vscode.Disposable {
  const reached = new Set(memory.get<Milestone[]>(memoryKey, []).filter(name => milestones.includes(name)));
  for (const name of reached) setKey(milestoneKey(name), true);
  const present = new Map<Presence, boolean>();
  let timer: NodeJS.Timeout | undefined;

  function reach(names: readonly Milestone[]): void {
    const news = names.filter(name => !reached.has(name));
    if (news.length === 0) return;
    for (const name of news) {
      reached.add(name);
      setKey(milestoneKey(name), true);
    }
    void memory.update(memoryKey, [...reached]);
  }

  async function look(): Promise<void> {
    if (coach.server.state !== 'up') return;
    const seen = await whatThereIs(coach, anySession);
    for (const name of presences) {
      const is = isPresent(name, seen);
      if (present.get(name) === is) continue;
      present.set(name, is);
      setKey(presenceKey(name), is);
    }
    reach(milestonesOf(seen));
  }

  const lookSoon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void look().catch((error: unknown) => coach.log.warn(`Looking at what there is: ${String(error)}`));
    }, lookMs);
  };
  return vscode.Disposable.from(
    { dispose: () => clearTimeout(timer) },
    coach.server.onDidChangeState(lookSoon),
    coach.api.tasks.on('changed', lookSoon),
    coach.api.suites.on('changed', lookSoon),
    coach.api.runs.on('changed', lookSoon),
    coach.api.sessions.on('changed', () => {
      if (present.get('sessions') !== true) lookSoon();
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(lookSoon),
    vscode.workspace.onDidGrantWorkspaceTrust(lookSoon),
    vscode.window.tabGroups.onDidChangeTabs(({ opened }) => {
      if (opened.some(({ input }) => showsTrial(input))) reach(['review']);
    }),
  );
}

const nothing = { rows: [] };

async function whatThereIs(coach: Coach, anySession: () => Promise<boolean>): Promise<Seen> {
  const sessions = await anySession();
  if (!vscode.workspace.isTrusted) return { repository: false, tasks: [], suites: [], runs: [], sessions };
  // A folder without a repository answers with a fault, which says just that.
  const lists = await Promise.all(
    repositories().map(repository => coach.api.tasks.list({ repository }).catch(() => undefined)),
  );
  const suites = await rowsOfAll(repository => coach.api.suites.list({ repository }).catch(() => nothing));
  const runs = await rowsOfAll(repository => coach.api.runs.list({ repository }).catch(() => nothing));
  return {
    repository: lists.some(list => list !== undefined),
    tasks: lists.flatMap(list => list?.rows ?? []),
    suites,
    runs,
    sessions,
  };
}

function isPresent(name: Presence, { tasks, suites, runs, sessions }: Seen): boolean {
  switch (name) {
    case 'created':
      return tasks.some(task => task.state === 'created');
    case 'runnable':
      return tasks.some(task => task.state !== 'created');
    case 'tasks':
      return tasks.length > 0;
    case 'suites':
      return suites.length > 0;
    case 'runs':
      return runs.length > 0;
    case 'running':
      return runs.some(run => run.state === 'running');
    case 'sessions':
      return sessions;
  }
}

function milestonesOf({ repository, tasks, runs, sessions }: Seen): Milestone[] {
  const is: Record<Exclude<Milestone, 'review'>, boolean> = {
    sample: repository,
    session: sessions,
    task: tasks.length > 0,
    proven: tasks.some(task => task.state === 'proven'),
    run: runs.some(run => run.state === 'finished'),
  };
  return milestones.filter(name => name !== 'review' && is[name]);
}

/** A run's page, or a file as it was in a trial. */
function showsTrial(input: unknown): boolean {
  if (input instanceof vscode.TabInputWebview) return input.viewType.endsWith(runPanelType);
  return input instanceof vscode.TabInputTextDiff && input.modified.scheme === fileScheme;
}

function setKey(key: string, value: boolean): void {
  void vscode.commands.executeCommand('setContext', key, value);
}
