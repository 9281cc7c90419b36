import { beforeEach, expect, it, vi } from 'vitest';
import type * as vscode from 'vscode';
import { BusyTasks } from '../../../../client/busyTasks.ts';
import type { Coach } from '../../../../client/coach.ts';
import { createTasksView } from '../../../../client/views/tasks.ts';
import { CoachError } from '../../../../protocol/errors.ts';
import type { Suite } from '../../../../protocol/suites.ts';
import type { TaskSummary } from '../../../../protocol/tasks.ts';

interface Provider {
  getChildren(node?: object): Promise<object[]>;
  getTreeItem(node: object): vscode.TreeItem;
}
type Drops = vscode.TreeDragAndDropController<object>;
interface State {
  provider: Provider;
  drops: Drops;
  shown: string[];
  called: unknown[][];
}

const editor = vi.hoisted(() => ({ shown: [] as string[], called: [] as unknown[][] }) as unknown as State);
vi.mock('vscode', () => {
  const subscription = () => ({ dispose: () => undefined });
  class EventEmitter {
    event = subscription;
    fire = () => undefined;
  }
  class TreeItem {
    readonly label: string;
    readonly collapsibleState: number;
    constructor(label: string, collapsibleState: number) {
      this.label = label;
      this.collapsibleState = collapsibleState;
    }
  }
  class DataTransferItem {
    readonly value: string;
    constructor(value: string) {
      this.value = value;
    }
    asString = async () => this.value;
  }
  return {
    EventEmitter,
    TreeItem,
    DataTransferItem,
    Disposable: { from: subscription },
    l10n: {
      t: (text: string, ...values: unknown[]) => text.replace(/\{(\d)\}/g, (_, at) => String(values[Number(at)])),
    },
    TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
    TreeItemCheckboxState: { Unchecked: 0, Checked: 1 },
    ThemeIcon: class {},
    ThemeColor: class {},
    Uri: { from: (parts: object) => parts },
    commands: { executeCommand: async (...args: unknown[]) => void editor.called.push(args) },
    workspace: {
      isTrusted: true,
      workspaceFolders: [{ uri: { scheme: 'file', fsPath: '/work' } }],
      onDidChangeWorkspaceFolders: subscription,
      onDidGrantWorkspaceTrust: subscription,
      onDidSaveTextDocument: subscription,
      createFileSystemWatcher: () => ({
        ...{ onDidCreate: subscription, onDidChange: subscription, onDidDelete: subscription },
        ...subscription(),
      }),
    },
    window: {
      showErrorMessage: async (text: string) => void editor.shown.push(text),
      createTreeView: (_: string, options: { treeDataProvider: Provider; dragAndDropController: Drops }) => {
        Object.assign(editor, { provider: options.treeDataProvider, drops: options.dragAndDropController });
        return { onDidChangeCheckboxState: subscription };
      },
    },
  };
});

const aTask = (id: string, state: string, repository = '/work') => ({
  ...{ id, title: `The ${id}`, state, repository, directory: `${repository}/.coach/tasks/prepared/${id}` },
  ...{ tags: [], proof: null, problem: null, createdAt: '' },
});
const aSuite = (changes: Partial<Suite> = {}): Suite => ({
  ...{ name: 'smoke', title: 'Smoke', description: '', repository: '/work', problem: null },
  ...{ file: '/work/.coach/suites/smoke.toml', tasks: ['mode', 'gone', 'median'], missing: ['gone'] },
  ...changes,
});

function aView(suites: Suite[]) {
  const added: object[] = [];
  const on = () => ({ dispose: () => undefined });
  const rows = [aTask('median', 'proven'), aTask('mode', 'prepared'), aTask('raw', 'created')];
  const api = {
    tasks: { on, list: async () => ({ rows }) },
    suites: {
      on,
      list: async () => ({ rows: suites }),
      add: async (what: { tasks: string[] }) => {
        if (what.tasks.includes('raw')) throw new CoachError('task.invalid', 'raw is not prepared yet.');
        added.push(what);
      },
    },
  };
  const server = { state: 'up', onDidChangeState: on };
  const log = { error: () => undefined };
  const busy = new BusyTasks();
  createTasksView({ api, server, log } as unknown as Coach, busy);
  const { provider } = editor;
  /** Every row with its depth, as a person reads it, and by its words. */
  const all = async (node?: object, depth = 0): Promise<[string, object][]> => {
    const found: [string, object][] = [];
    for (const child of await provider.getChildren(node)) {
      const { label, description, contextValue } = provider.getTreeItem(child);
      found.push([`${'  '.repeat(depth)}${label} | ${description} | ${contextValue}`, child]);
      found.push(...(await all(child, depth + 1)));
    }
    return found;
  };
  return { all, added, busy };
}

beforeEach(() => {
  editor.shown = [];
  editor.called = [];
});

it('shows suites with their tasks in the order of the file, and what they lack', async () => {
  const broken = aSuite({ name: 'torn', title: 'torn', tasks: [], missing: [], problem: 'torn.toml can’t be used.' });
  const rows = await aView([aSuite(), broken]).all();
  expect(rows.slice(0, 6).map(([words]) => words)).toEqual([
    'Suites | 2 | suiteGroup',
    '  Smoke | 1 of 3 missing | suite.broken',
    '    The mode | prepared | task.prepared.suite',
    '    gone | missing | missingTask',
    '    The median | proven | task.proven.suite',
    '  torn | has a problem | suite.broken',
  ]);
  const ids = rows.map(([, node]) => editor.provider.getTreeItem(node).id);
  expect(new Set(ids).size).toBe(ids.length);
  const boxes = rows.filter(([, node]) => editor.provider.getTreeItem(node).checkboxState !== undefined);
  expect(boxes.map(([words]) => words)).toEqual([
    expect.stringContaining('The median |  | task.proven'),
    expect.stringContaining('The mode |  | task.prepared'),
  ]);
});

it('has no group of suites where there are none', async () => {
  expect((await aView([]).all()).map(([words]) => words)[0]).toBe('Proven | 1 | taskGroup');
});

async function dropped(rows: [string, object][], what: string[], onto: string): Promise<void> {
  const find = (words: string) => rows.filter(([text]) => text.includes(words)).map(([, node]) => node);
  const items = new Map<string, vscode.DataTransferItem>();
  const transfer = items as unknown as vscode.DataTransfer;
  const token = {} as vscode.CancellationToken;
  await editor.drops.handleDrag?.(
    what.flatMap(words => find(words).slice(0, 1)),
    transfer,
    token,
  );
  await editor.drops.handleDrop?.(find(onto)[0], transfer, token);
}

it('adds what is dropped onto a suite or a row of it, and makes one of what is dropped onto their group', async () => {
  const { all, added } = aView([aSuite()]);
  const rows = await all();
  await dropped(rows, ['The median', 'The mode'], 'Smoke');
  await dropped(rows, ['The median'], 'gone');
  const suite = { repository: '/work', suite: 'smoke' };
  expect(added).toEqual([
    { ...suite, tasks: ['median', 'mode'] },
    { ...suite, tasks: ['median'] },
  ]);
  await dropped(rows, ['The mode'], 'Suites');
  expect(editor.called).toContainEqual([
    ...['codexCoach.createSuite', undefined],
    [{ kind: 'task', task: expect.objectContaining({ id: 'mode' }) }],
  ]);
});

it('leaves everything as it is when something else is dropped, or onto something else', async () => {
  const { all, added } = aView([aSuite()]);
  const rows = await all();
  await dropped(rows, ['Smoke'], 'Smoke');
  await dropped(rows, ['The median'], 'Created | 1');
  expect([added, editor.shown]).toEqual([[], []]);
  await dropped(rows, ['The raw'], 'Smoke');
  expect([added, editor.shown]).toEqual([[], ['raw is not prepared yet.']]);
});

it('takes no task of another repository', async () => {
  const { all, added } = aView([aSuite({ repository: '/other' })]);
  const rows = await all();
  await dropped(rows, ['Proven | 1', 'The median'], 'Smoke');
  expect(added).toEqual([]);
  expect(editor.shown).toEqual([expect.stringContaining('is a task of another repository than the suite “Smoke”')]);
});

it('shows in its row that a task is being prepared, until that has ended', async () => {
  const { all, busy } = aView([]);
  const row = async () => (await all()).map(([words]) => words.trim()).find(words => words.startsWith('The raw'));
  const before = await row();
  const task = aTask('raw', 'created') as TaskSummary;
  const during = await busy.during(task, 'preparing', row);
  expect(during).toBe('The raw | preparing… | task.busy');
  await expect(busy.during(task, 'preparing', () => Promise.reject(new Error('Refused.')))).rejects.toThrow('Refused.');
  expect(await row()).toBe(before);
});
