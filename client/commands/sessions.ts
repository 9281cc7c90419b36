import * as vscode from 'vscode';
import type { SessionSummary } from '../../protocol/sessions.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';
import type { Coach } from '../coach.ts';
import { askText } from '../messages.ts';
import type { RunPanels } from '../panels/runPanels.ts';
import { withCancellableProgress } from '../progress.ts';
import { pickStart, repositories } from '../repository.ts';
import type { SessionNode } from '../views/nodes.ts';
import type { SessionFilter } from '../views/sessionPages.ts';
import type { SessionsView } from '../views/sessions.ts';
import { type CommandHandlers, rowsOf } from './handler.ts';
import { pickSession, pickTask } from './picks.ts';
import { searchSessions } from './searchSessions.ts';
import { confirmAndStart } from './startRun.ts';
import { offerPrepare } from './tasks.ts';

type Names = 'taskFromSession' | 'replaySession' | 'searchSessions' | 'filterSessions' | 'clearSessionFilter';

/** What can be done with recorded sessions, besides looking at one. */
export function sessionCommands(coach: Coach, panels: RunPanels, view: SessionsView): CommandHandlers<Names> {
  return {
    async taskFromSession(target) {
      const session = sessionOf(target) ?? (await pickSession(coach, vscode.l10n.t('Save Session as Task')));
      if (session !== undefined) await taskFromSession(coach, session);
    },
    async replaySession(target) {
      const session = sessionOf(target) ?? (await pickSession(coach, vscode.l10n.t('Replay Session on a Task')));
      if (session === undefined) return;
      const title = vscode.l10n.t('Replay on Which Task?');
      const task = await pickTask(coach, title, 'runnable');
      if (task === undefined) return;
      const run = await confirmAndStart(coach, replayPlan(session, task));
      if (run !== undefined) panels.open(run);
    },
    searchSessions: () => searchSessions(coach),
    async filterSessions() {
      const filter = await pickFilter(coach, view.filter());
      if (filter !== undefined) view.setFilter(filter);
    },
    clearSessionFilter: () => view.setFilter({}),
  };
}

async function taskFromSession(coach: Coach, session: SessionSummary): Promise<void> {
  const repository = repositoryOf(session) ?? (await pickStart(coach));
  if (repository === undefined) return;
  const title = await askText({
    title: vscode.l10n.t('Save Session as Task'),
    prompt: vscode.l10n.t('What the session changed becomes the solution. What was to be done?'),
    value: session.title,
    validateInput: text => (text.trim() === '' ? vscode.l10n.t('A task needs a title.') : undefined),
  });
  if (title === undefined) return;
  const { task, notes } = await withCancellableProgress(vscode.l10n.t('Making a task of “{0}”', title), signal =>
    coach.api.tasks.from({ repository, source: session.id, as: 'session', title: title.trim().slice(0, 200) }, signal),
  );
  await offerPrepare(task, notes);
}

/** The folder of this window that the agent worked in, if it is one. */
function repositoryOf({ repository }: SessionSummary): string | undefined {
  if (repository === null) return undefined;
  return repositories().find(folder => repository === folder || repository.startsWith(`${folder}/`));
}

function replayPlan(session: SessionSummary, task: TaskSummary) {
  const replay = `session:${session.id}`;
  const agent = { id: session.agent ?? 'codex', model: session.models[0] ?? null, label: null, command: null, replay };
  return { repository: task.repository, tasks: [task], agents: [agent], attempts: 1 };
}

type FilterItem = vscode.QuickPickItem & {
  readonly narrow?: (filter: SessionFilter) => Promise<SessionFilter | undefined>;
};

/** Narrows by one thing more. Undefined when the person dismissed it. */
async function pickFilter(coach: Coach, present: SessionFilter): Promise<SessionFilter | undefined> {
  const { rows } = await coach.api.sessions.list({ limit: 500 });
  const agents = [...new Set(rows.flatMap(({ agent }) => agent ?? []))].sort();
  const models = [...new Set(rows.flatMap(session => session.models))].sort();
  const [folder] = repositories();
  const heading = (label: string): FilterItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const items: FilterItem[] = [
    {
      label: `$(text-size) ${vscode.l10n.t('Title Contains…')}`,
      narrow: async filter => {
        const text = await askText({
          title: vscode.l10n.t('Title Contains'),
          value: filter.text ?? '',
        });
        return text === undefined ? undefined : withText(filter, text);
      },
    },
    ...(folder === undefined
      ? []
      : [
          {
            label: `$(folder) ${vscode.l10n.t('Only of This Workspace')}`,
            description: folder,
            narrow: async (filter: SessionFilter) => ({ ...filter, repository: folder }),
          },
        ]),
    ...(agents.length === 0 ? [] : [heading(vscode.l10n.t('Agent'))]),
    ...agents.map(agent => ({ label: agent, narrow: async (filter: SessionFilter) => ({ ...filter, agent }) })),
    ...(models.length === 0 ? [] : [heading(vscode.l10n.t('Model'))]),
    ...models.map(model => ({ label: model, narrow: async (filter: SessionFilter) => ({ ...filter, model }) })),
  ];
  const chosen = await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Filter Sessions') });
  return chosen?.narrow?.(present);
}

function withText({ text: _, ...others }: SessionFilter, text: string): SessionFilter {
  return text.trim() === '' ? others : { ...others, text: text.trim() };
}

function sessionOf(target: unknown): SessionSummary | undefined {
  return rowsOf<SessionNode>('session', target)[0]?.session;
}
