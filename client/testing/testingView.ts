import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';
import type { Coach } from '../coach.ts';
import { askAndStartRun } from '../commands/startRun.ts';
import { prefix } from '../contributions.ts';
import { showFailure } from '../failures.ts';
import { repositories } from '../repository.ts';
import { setting } from '../settings.ts';
import { mirrorRun } from './testRun.ts';

/** Asks what is to be run on these tasks, with count and cost, and starts it. Undefined when dismissed. */
export type AskAndStart = (coach: Coach, tasks: readonly TaskSummary[]) => Promise<RunSummary | undefined>;

/** The tasks in the Testing view, while the setting says so. They stand among the person's own tests. */
export function createTestingView(coach: Coach): vscode.Disposable {
  let shown: vscode.Disposable | undefined;
  const follow = () => {
    const wanted = setting('testing.enabled') && vscode.workspace.isTrusted;
    if (wanted) shown ??= showTasks(coach);
    else {
      shown?.dispose();
      shown = undefined;
    }
  };
  follow();
  const subscriptions = vscode.Disposable.from(
    vscode.workspace.onDidGrantWorkspaceTrust(follow),
    vscode.workspace.onDidChangeConfiguration(change => {
      if (change.affectsConfiguration(`${prefix}.testing.enabled`)) follow();
    }),
  );
  return {
    dispose: () => {
      subscriptions.dispose();
      shown?.dispose();
    },
  };
}

/** Suite (the runnable tasks of a repository) → task → attempt. Exported for its test, with what asks passed in. */
export function showTasks(coach: Coach, ask: AskAndStart = askAndStartRun): vscode.Disposable {
  const controller = vscode.tests.createTestController(`${prefix}.tasks`, vscode.l10n.t('Codex Coach Tasks'));
  const tasks = new WeakMap<vscode.TestItem, TaskSummary>();
  const closed = new AbortController();
  const load = async () => {
    const suites = await Promise.all(repositories().map(repository => loadSuite(coach, controller, tasks, repository)));
    controller.items.replace(suites.filter(suite => suite.children.size > 0));
  };
  const refresh = () => load().catch((error: unknown) => showFailure(error, coach.log));
  controller.refreshHandler = refresh;
  controller.resolveHandler = item => (item === undefined ? refresh() : undefined);
  // Never the default: "Run All Tests" is meant for the person's own tests.
  controller.createRunProfile(
    vscode.l10n.t('Run Agents…'),
    vscode.TestRunProfileKind.Run,
    async (request, token) => {
      try {
        await runTasks(coach, controller, request, chosenTasks(controller, tasks, request), {
          ask,
          token,
          signal: closed.signal,
        });
      } catch (error) {
        void showFailure(error, coach.log);
      }
    },
    false,
  );
  const subscription = coach.api.tasks.on('changed', () => void refresh());
  return vscode.Disposable.from(
    { dispose: () => subscription.dispose() },
    { dispose: () => closed.abort() },
    controller,
  );
}

async function loadSuite(
  coach: Coach,
  controller: vscode.TestController,
  tasks: WeakMap<vscode.TestItem, TaskSummary>,
  repository: string,
): Promise<vscode.TestItem> {
  const { rows } = await coach.api.tasks.list({ repository });
  const suite =
    controller.items.get(repository) ??
    controller.createTestItem(repository, basename(repository), vscode.Uri.file(repository));
  const runnable = rows.filter(task => task.state !== 'created' && task.problem === null);
  suite.children.replace(
    runnable.map(task => {
      const id = `${repository}/${task.id}`;
      const place = vscode.Uri.joinPath(vscode.Uri.file(task.directory), 'task.toml');
      // A known item stays: its attempts hang on it.
      const item = suite.children.get(id) ?? controller.createTestItem(id, task.title || task.id, place);
      item.label = task.title || task.id;
      item.description = task.state === 'proven' ? vscode.l10n.t('proven') : vscode.l10n.t('not proven');
      tasks.set(item, task);
      return item;
    }),
  );
  return suite;
}

type Chosen = ReadonlyMap<TaskSummary, vscode.TestItem>;

/** The tasks of the chosen rows: a suite stands for all of its tasks, an attempt for the task that it was made at. */
function chosenTasks(
  controller: vscode.TestController,
  tasks: WeakMap<vscode.TestItem, TaskSummary>,
  { include, exclude = [] }: vscode.TestRunRequest,
): Chosen {
  const chosen = new Map<TaskSummary, vscode.TestItem>();
  const add = (item: vscode.TestItem) => {
    if (exclude.includes(item)) return;
    const task = tasks.get(item);
    if (task !== undefined) chosen.set(task, item);
    else if (item.parent !== undefined && tasks.has(item.parent)) add(item.parent);
    else item.children.forEach(add);
  };
  if (include === undefined) controller.items.forEach(add);
  else include.forEach(add);
  return chosen;
}

interface RunTools {
  readonly ask: AskAndStart;
  readonly token: vscode.CancellationToken;
  /** Ends with the view. */
  readonly signal: AbortSignal;
}

async function runTasks(
  coach: Coach,
  controller: vscode.TestController,
  request: vscode.TestRunRequest,
  chosen: Chosen,
  { ask, token, signal }: RunTools,
): Promise<void> {
  for (const tasks of byRepository([...chosen.keys()])) {
    if (token.isCancellationRequested) return;
    const run = await ask(coach, tasks);
    if (run === undefined) return;
    const items = new Map(tasks.map(task => [task.id, chosen.get(task)]));
    const mirror = controller.createTestRun(request, vscode.l10n.t('Run {0}', run.id), true);
    const itemOf = (trial: TrialSummary) => attemptItem(controller, items.get(trial.task), trial);
    await mirrorRun(coach, run, mirror, itemOf, signal);
  }
}

/** A run is of one repository. */
function byRepository(tasks: readonly TaskSummary[]): TaskSummary[][] {
  return [...Map.groupBy(tasks, ({ repository }) => repository).values()];
}

function attemptItem(
  controller: vscode.TestController,
  task: vscode.TestItem | undefined,
  { id, agentLabel, attempt }: TrialSummary,
): vscode.TestItem | undefined {
  if (task === undefined) return undefined;
  const item = controller.createTestItem(id, vscode.l10n.t('{0}, attempt {1}', agentLabel, attempt), task.uri);
  // Newest last, as they were made.
  item.sortText = `${String(task.children.size).padStart(6, '0')}`;
  task.children.add(item);
  return item;
}
