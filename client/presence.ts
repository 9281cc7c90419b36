import * as vscode from 'vscode';
import type { RunSummary } from '../protocol/runs.ts';
import type { Suite } from '../protocol/suites.ts';
import type { RepositoryState, TaskSummary } from '../protocol/tasks.ts';
import type { Coach } from './coach.ts';
import {
  extensionId,
  fileScheme,
  type Milestone,
  milestoneKey,
  milestones,
  type Presence,
  presenceKey,
  presences,
  repositoryContextKey,
  runPanelType,
  walkthroughId,
} from './contributions.ts';
import { followRepositories, repositories, rowsOfAll } from './repository.ts';

/** Events come in bursts while agents work. */
const lookMs = 1000;
const memoryKey = 'milestones';

interface Seen {
  /** Of the folder that is furthest; undefined without a folder. */
  readonly repository: RepositoryState | undefined;
  readonly tasks: readonly TaskSummary[];
  readonly suites: readonly Suite[];
  readonly runs: readonly RunSummary[];
  readonly sessions: boolean;
}

export interface PresenceTracker extends vscode.Disposable {
  /** Looks again, for what no event tells. */
  refresh(): void;
}

/**
 * Keeps the context keys that say what this window has, on which the palette depends, and what the person has come to,
 * with which steps of the walkthrough end. Both follow what is there, not what was clicked.
 */
export function trackPresence(
  coach: Coach,
  memory: vscode.Memento,
  anySession: () => Promise<boolean>,
): PresenceTracker {
  const reached = new Set(memory.get<Milestone[]>(memoryKey, []).filter(name => milestones.includes(name)));
  reached.forEach(endStep);
  let repository: RepositoryState | undefined;
  const present = new Map<Presence, boolean>();
  let timer: NodeJS.Timeout | undefined;
  let looking = Promise.resolve();

  function reach(names: readonly Milestone[]): void {
    const news = names.filter(name => !reached.has(name));
    if (news.length === 0) return;
    for (const name of news) {
      reached.add(name);
      endStep(name);
    }
    void memory.update(memoryKey, [...reached]);
  }

  async function look(): Promise<void> {
    if (coach.server.state !== 'up') return;
    const seen = await whatThereIs(coach, anySession);
    if (repository !== seen.repository) setKey(repositoryContextKey, seen.repository);
    repository = seen.repository;
    for (const name of presences) {
      const is = isPresent(name, seen);
      if (present.get(name) === is) continue;
      present.set(name, is);
      setKey(presenceKey(name), is);
    }
    reach(milestonesOf(seen));
  }

  function lookAfter(delayMs: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      // One after the other: an answer that came late would be taken for how things are.
      looking = looking
        .then(look)
        .catch((error: unknown) => coach.log.warn(`Looking at what there is: ${String(error)}`));
    }, delayMs);
  }

  const lookSoon = () => lookAfter(lookMs);
  const subscriptions = vscode.Disposable.from(
    { dispose: () => clearTimeout(timer) },
    // Until the first look the empty views don't know what to say.
    coach.server.onDidChangeState(() => lookAfter(0)),
    coach.api.tasks.on('changed', lookSoon),
    coach.api.suites.on('changed', lookSoon),
    coach.api.runs.on('changed', lookSoon),
    coach.api.sessions.on('changed', () => {
      if (present.get('sessions') !== true) lookSoon();
    }),
    followRepositories(what => {
      // Of the commits only the first changes anything here.
      if (what === 'repository' || repository !== 'ready') lookSoon();
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(lookSoon),
    vscode.workspace.onDidGrantWorkspaceTrust(lookSoon),
    vscode.window.tabGroups.onDidChangeTabs(({ opened }) => {
      if (opened.some(({ input }) => showsTrial(input))) reach(['review']);
    }),
  );
  return { refresh: lookSoon, dispose: () => void subscriptions.dispose() };
}

const nothing = { rows: [] };

async function whatThereIs(coach: Coach, anySession: () => Promise<boolean>): Promise<Seen> {
  const sessions = await anySession();
  if (!vscode.workspace.isTrusted) return { repository: undefined, tasks: [], suites: [], runs: [], sessions };
  // Faults are told by the views.
  const [repository, tasks, suites, runs] = await Promise.all([
    furthestRepository(coach).catch(() => undefined),
    rowsOfAll(folder => coach.api.tasks.list({ repository: folder }).catch(() => nothing)),
    rowsOfAll(folder => coach.api.suites.list({ repository: folder }).catch(() => nothing)),
    rowsOfAll(folder => coach.api.runs.list({ repository: folder }).catch(() => nothing)),
  ]);
  return { repository, tasks, suites, runs, sessions };
}

async function furthestRepository(coach: Coach): Promise<RepositoryState | undefined> {
  const states = await Promise.all(
    repositories().map(async folder => (await coach.api.tasks.repository({ repository: folder })).state),
  );
  return (['ready', 'empty', 'none'] as const).find(state => states.includes(state));
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
    sample: repository === 'ready',
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

/**
 * Ends a step of the walkthrough. Its completion event is the key; but of a key that is set already when the editor
 * registers the walkthrough (it does so when the page is first opened) the editor takes the event for used up, and never
 * shows the step as done. So the step is ended by the editor's own command, too. That keeps the progress before the step is
 * registered as well, and only then complains that there is no such step.
 */
function endStep(name: Milestone): void {
  setKey(milestoneKey(name), true);
  const step = `${extensionId}#${walkthroughId}#${name}`;
  void vscode.commands.executeCommand('welcome.markStepComplete', step).then(undefined, () => undefined);
}

function setKey(key: string, value: boolean | string | undefined): void {
  void vscode.commands.executeCommand('setContext', key, value);
}
