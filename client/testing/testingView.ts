import { basename } from 'node:path';
import * as vscode from 'vscode';
import { inTurn } from '../../protocol/inTurn.ts';
import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import { type Suite, tasksToRun } from '../../protocol/suites.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Coach } from '../coach.ts';
import { askAndStartRun } from '../commands/startRun.ts';
import { prefix } from '../contributions.ts';
import { showFailure } from '../failures.ts';
import { repositories } from '../repository.ts';
import { setting } from '../settings.ts';
import { attemptWords, mirrorRun } from './testRun.ts';

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

/** Suite → task → attempt; tasks of no suite stand below their repository. Exported for its test, with what asks passed in. */
export function showTasks(coach: Coach, ask: AskAndStart = askAndStartRun): vscode.Disposable {
  const controller = vscode.tests.createTestController(`${prefix}.tasks`, vscode.l10n.t('Codex Coach Tasks'));
  const rows: Rows = { controller, tasks: new WeakMap(), suites: new WeakMap() };
  const closed = new AbortController();
  const load = async () => {
    const items = await Promise.all(repositories().map(repository => loadRepository(coach, rows, repository)));
    if (!closed.signal.aborted) controller.items.replace(items.flat());
  };
  const refresh = inTurn(() =>
    load().catch((error: unknown) => {
      // Not awaited: the message stays until the person answers it.
      if (!closed.signal.aborted) void showFailure(error, coach.log);
    }),
  );
  controller.refreshHandler = refresh;
  controller.resolveHandler = item => (item === undefined ? refresh() : undefined);
  // Never the default: "Run All Tests" is meant for the person's own tests.
  controller.createRunProfile(
    vscode.l10n.t('Run Agents…'),
    vscode.TestRunProfileKind.Run,
    async (request, token) => {
      try {
        await runTasks(coach, controller, request, chosenTasks(rows, request), { ask, token, signal: closed.signal });
      } catch (error) {
        void showFailure(error, coach.log);
      }
    },
    false,
  );
  const subscriptions = [
    coach.api.tasks.on('changed', () => void refresh()),
    coach.api.suites.on('changed', () => void refresh()),
  ];
  return vscode.Disposable.from(...subscriptions, { dispose: () => closed.abort() }, controller);
}

/**
 * What the items of the view stand for; an attempt stands for nothing. Their states are in their labels: of an item with a
 * description, the editor tells a screen reader the description alone.
 */
interface Rows {
  readonly controller: vscode.TestController;
  readonly tasks: WeakMap<vscode.TestItem, TaskSummary>;
  readonly suites: WeakMap<vscode.TestItem, Suite>;
}

async function loadRepository(coach: Coach, rows: Rows, repository: string): Promise<vscode.TestItem[]> {
  const [tasks, suites] = await Promise.all([
    coach.api.tasks.list({ repository }),
    coach.api.suites.list({ repository }),
  ]);
  const runnable = tasks.rows.filter(task => task.state !== 'created' && task.problem === null);
  const known = new Map(runnable.map(task => [task.id, task]));
  const inSuites = new Set(suites.rows.flatMap(suite => suite.tasks));
  const rest = runnable.filter(task => !inSuites.has(task.id));
  const items = suites.rows.map(suite => suiteItem(rows, suite, known));
  if (rest.length === 0) return items;
  const { controller } = rows;
  const root =
    controller.items.get(repository) ??
    controller.createTestItem(repository, basename(repository), vscode.Uri.file(repository));
  root.sortText = '1';
  fill(rows, root, rest);
  return [...items, root];
}

function suiteItem(rows: Rows, suite: Suite, known: ReadonlyMap<string, TaskSummary>): vscode.TestItem {
  const { controller } = rows;
  const id = `${suite.repository}/.coach/suites/${suite.name}`;
  const item =
    controller.items.get(id) ?? controller.createTestItem(id, visible(suite.title), vscode.Uri.file(suite.file));
  item.label = visible(suite.title);
  // Before the tasks of no suite.
  item.sortText = `0 ${suite.name}`;
  item.error = suite.problem ?? missingWords(suite);
  rows.suites.set(item, suite);
  fill(
    rows,
    item,
    suite.tasks.flatMap(name => known.get(name) ?? []),
  );
  return item;
}

function missingWords({ missing }: Suite): string | undefined {
  if (missing.length === 0) return undefined;
  return vscode.l10n.t('Not prepared in this repository: {0}. The suite can’t be run.', missing.join(', '));
}

function fill({ controller, tasks }: Rows, parent: vscode.TestItem, shown: readonly TaskSummary[]): void {
  parent.children.replace(
    shown.map((task, index) => {
      const id = `${parent.id}/${task.id}`;
      const place = vscode.Uri.joinPath(vscode.Uri.file(task.directory), 'task.toml');
      // A known item stays: its attempts hang on it.
      const label = taskWords(task);
      const item = parent.children.get(id) ?? controller.createTestItem(id, label, place);
      item.label = label;
      item.sortText = inOrder(index);
      tasks.set(item, task);
      return item;
    }),
  );
}

function taskWords({ title, id, state }: TaskSummary): string {
  const name = visible(title || id);
  return state === 'proven' ? name : vscode.l10n.t('{0} (not proven)', name);
}

type Chosen = ReadonlyMap<TaskSummary, vscode.TestItem>;

/**
 * The tasks of the chosen rows, each once: a suite stands for all of its tasks, an attempt for the task that it was made at.
 * @throws CoachError for a suite that can't be run as a whole
 */
function chosenTasks({ controller, tasks, suites }: Rows, { include, exclude = [] }: vscode.TestRunRequest): Chosen {
  const chosen = new Map<string, [TaskSummary, vscode.TestItem]>();
  const add = (item: vscode.TestItem) => {
    if (exclude.includes(item)) return;
    const suite = suites.get(item);
    if (suite !== undefined) tasksToRun(suite);
    const task = tasks.get(item);
    if (task !== undefined) {
      if (!chosen.has(task.directory)) chosen.set(task.directory, [task, item]);
    } else if (item.parent !== undefined && tasks.has(item.parent)) add(item.parent);
    else item.children.forEach(add);
  };
  if (include === undefined) controller.items.forEach(add);
  else include.forEach(add);
  return new Map(chosen.values());
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
  trial: TrialSummary,
): vscode.TestItem | undefined {
  if (task === undefined) return undefined;
  const item = controller.createTestItem(trial.id, attemptWords(trial), task.uri);
  // Newest last, as they were made.
  item.sortText = inOrder(task.children.size);
  task.children.add(item);
  return item;
}

function inOrder(index: number): string {
  return String(index).padStart(6, '0');
}
