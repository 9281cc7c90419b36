import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type * as vscode from 'vscode';
import type { Coach } from '../../../../client/coach.ts';
import { createRunsView } from '../../../../client/views/runs.ts';
import type { RunSummary, TrialSummary } from '../../../../protocol/runs.ts';
import { noUsage } from '../../../../protocol/usage.ts';

interface Provider extends vscode.TreeDataProvider<object> {
  getChildren(node?: object): Promise<object[]>;
  getTreeItem(node: object): vscode.TreeItem;
}
const editor = vi.hoisted(() => ({
  provider: undefined as unknown,
  tree: {} as { badge?: { value: number } },
  folders: ['/work'],
}));
vi.mock('vscode', () => {
  const subscription = () => ({ dispose: () => undefined });
  class EventEmitter {
    readonly listeners: ((value: unknown) => void)[] = [];
    event = (listener: (value: unknown) => void) => {
      this.listeners.push(listener);
      return subscription();
    };
    fire = (value: unknown) => this.listeners.forEach(listener => void listener(value));
  }
  return {
    EventEmitter,
    Disposable: Object.assign(class {}, { from: subscription }),
    l10n: {
      t: (text: string, ...values: unknown[]) => text.replace(/\{(\d)\}/g, (_, at) => String(values[Number(at)])),
    },
    TreeItem: class {
      readonly label: string;
      readonly collapsibleState: number;
      constructor(label: string, collapsibleState: number) {
        this.label = label;
        this.collapsibleState = collapsibleState;
      }
    },
    TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
    ThemeIcon: class {
      readonly id: string;
      constructor(id: string) {
        this.id = id;
      }
    },
    ThemeColor: class {},
    Uri: { from: (parts: object) => parts },
    workspace: {
      isTrusted: true,
      get workspaceFolders() {
        return editor.folders.map(fsPath => ({ uri: { scheme: 'file', fsPath } }));
      },
      onDidChangeWorkspaceFolders: subscription,
      onDidGrantWorkspaceTrust: subscription,
    },
    window: {
      createTreeView: (_: string, { treeDataProvider }: { treeDataProvider: unknown }) => {
        editor.provider = treeDataProvider;
        return editor.tree;
      },
    },
  };
});

const none = { kind: 'none' as const, amountUsd: null };
const choice = { id: 'codex', model: null, label: null, command: null, replay: null };

function aRun(over: Partial<RunSummary> = {}): RunSummary {
  return {
    ...{
      id: 'run-1',
      repository: '/work',
      directory: '/work/.coach/runs/run-1',
      state: 'running',
      tasks: ['add-totals'],
    },
    ...{
      agents: [choice],
      attempts: 2,
      limits: { timeoutSec: 60, maxTokens: null },
      executor: 'local',
      notIsolated: [],
    },
    ...{ createdAt: '2026-11-20T10:00:00.000Z', finishedAt: null, trialCounts: { total: 2, done: 0, errored: 0 } },
    ...{ meanReward: null, usage: noUsage, cost: none },
    ...over,
  };
}

function aTrial(attempt: number, over: Partial<TrialSummary> = {}): TrialSummary {
  return {
    ...{ id: `trial-${attempt}`, runId: 'run-1', task: 'add-totals', taskProven: true, agent: choice, attempt },
    ...{
      agentLabel: 'codex',
      agentVersion: null,
      phase: 'agent',
      end: null,
      reward: null,
      error: null,
      usage: noUsage,
    },
    ...{ cost: none, startedAt: null, finishedAt: null, buildMs: null, agentMs: null, verifyMs: null, diff: null },
    ...{ tests: [], directory: '/work/.coach/runs/run-1/trial', sessionId: null, proofBasis: 'tests' as const },
    ...over,
  };
}

/** A server with one run, which tells of changes. */
function aServer() {
  const listeners = new Map<string, (payload: unknown) => void>();
  const show = vi.fn(async () => ({ run: aRun(), trials: [aTrial(1), aTrial(2)] }));
  const runs = {
    list: vi.fn(async () => ({ rows: [aRun()] })),
    show,
    on: (name: string, listener: (payload: unknown) => void) => {
      listeners.set(name, listener);
      return { dispose: () => undefined };
    },
  };
  const server = { state: 'up', onDidChangeState: () => ({ dispose: () => undefined }) };
  const tell = (name: string, payload: unknown) => listeners.get(name)?.(payload);
  return { coach: { server, api: { runs }, log: console } as unknown as Coach, runs, tell };
}

function aView() {
  const served = aServer();
  createRunsView(served.coach);
  const provider = editor.provider as Provider;
  const refreshed: unknown[] = [];
  provider.onDidChangeTreeData?.(node => void refreshed.push(node));
  const first = async (node?: object) => {
    const [row] = await provider.getChildren(node);
    if (row === undefined) throw new Error('No row.');
    return row;
  };
  return { ...served, provider, refreshed, first };
}

describe('the runs of the sidebar', () => {
  beforeEach(() => {
    editor.tree = {};
  });

  it('are asked for one level at a time', async () => {
    const { runs, first } = aView();
    const run = await first();
    expect(runs.show).not.toHaveBeenCalled();
    const agent = await first(run);
    expect(runs.show).toHaveBeenCalledOnce();
    await first(agent);
    await first(run);
    expect(runs.show).toHaveBeenCalledOnce();
  });

  it('are as they were told to be last, though another folder is still being asked', async () => {
    editor.folders = ['/work', '/slow'];
    onTestFinished(() => {
      editor.folders = ['/work'];
    });
    const { coach, tell } = aServer();
    const slow = Promise.withResolvers<{ rows: RunSummary[] }>();
    Object.assign(coach.api.runs, {
      list: async ({ repository }: { repository: string }) =>
        repository === '/slow' ? await slow.promise : { rows: [aRun()] },
    });
    createRunsView(coach);
    const listed = (editor.provider as Provider).getChildren();
    await new Promise(resolve => setTimeout(resolve, 5));
    tell('changed', aRun({ state: 'finished', meanReward: 0.5, finishedAt: '2026-11-20T10:01:30.000Z' }));
    slow.resolve({ rows: [] });
    expect(await listed).toMatchObject([{ run: { state: 'finished' } }]);
    expect(editor.tree.badge).toBeUndefined();
  });

  it('count those under way in the badge, and change in place without a new list', async () => {
    const { runs, tell, provider, refreshed, first } = aView();
    const row = await first();
    expect(editor.tree.badge?.value).toBe(1);
    tell('changed', aRun({ state: 'finished', meanReward: 0.5, finishedAt: '2026-11-20T10:01:30.000Z' }));
    expect(editor.tree.badge).toBeUndefined();
    await vi.waitFor(() => expect(refreshed).toEqual([row]), 5000);
    expect(provider.getTreeItem(row)).toMatchObject({
      id: 'run-1',
      description: 'reward 0.50 · codex · wall time 1:30 · add-totals',
    });
    expect(runs.list).toHaveBeenCalledOnce();
  });

  it('show a trial’s verdict as it comes, as the same row', async () => {
    const { tell, provider, refreshed, first } = aView();
    const run = await first();
    const before = provider.getTreeItem(await first(await first(run)));
    tell('trialChanged', aTrial(1, { phase: 'done', end: 'verified', reward: 1, agentMs: 82_000 }));
    await vi.waitFor(() => expect(refreshed).toEqual([run]), 5000);
    const after = provider.getTreeItem(await first(await first(run)));
    expect(after.id).toBe(before.id);
    expect([before.description, after.description]).toEqual(['Agent', 'Passed 1.00 · agent time 1:22']);
    expect(after.accessibilityInformation?.label).toBe('codex #1, Passed 1.00 · agent time 1:22');
    expect([before.resourceUri, after.resourceUri]).toMatchObject([{ query: 'agent' }, { query: 'passed' }]);
  });

  it('tell a run whose trials errored from a clean one by icon, mark and words', async () => {
    const { tell, provider, first } = aView();
    const row = await first();
    const ended = { state: 'finished' as const, meanReward: 0.5, finishedAt: '2026-11-20T10:01:30.000Z' };
    tell('changed', aRun({ ...ended, trialCounts: { total: 12, done: 12, errored: 0 } }));
    const clean = provider.getTreeItem(row);
    tell('changed', aRun({ ...ended, trialCounts: { total: 12, done: 12, errored: 3 } }));
    const errored = provider.getTreeItem(row);
    expect([clean.iconPath, errored.iconPath]).toMatchObject([{ id: 'pass' }, { id: 'warning' }]);
    expect([clean.resourceUri, errored.resourceUri]).toMatchObject([{ query: 'finished' }, { query: 'someErrored' }]);
    expect(clean.description).not.toContain('errored');
    expect(errored.description).toMatch(/^3 errored · reward 0\.50/);
    expect(errored.accessibilityInformation?.label).toContain('finished, reward 0.50 · 3 errored');
    expect(errored.tooltip).toContain('12 of 12 trials ended, 3 errored');
  });

  it('name the task first only where runs differ in it', async () => {
    const { runs, provider } = aView();
    const runsOf = async (...tasks: string[]) => {
      runs.list.mockResolvedValue({ rows: tasks.map((task, index) => aRun({ id: `run-${index}`, tasks: [task] })) });
      return (await provider.getChildren()).map(row => provider.getTreeItem(row));
    };
    const [same] = await runsOf('add-totals', 'add-totals');
    expect(same?.label).toMatch(/\d\d:\d\d$/);
    expect(same?.description).toMatch(/· add-totals$/);
    const [one, other] = await runsOf('add-totals', 'add-median');
    expect([one?.label, other?.label]).toEqual([
      expect.stringMatching(/\d\d:\d\d add-totals$/),
      expect.stringMatching(/\d\d:\d\d add-median$/),
    ]);
    for (const item of [same, one]) expect(item?.accessibilityInformation?.label).toContain('add-totals, running');
  });

  it('say of an agent what errored, apart from the mean of its verdicts', async () => {
    const { runs, provider, first } = aView();
    const done = { phase: 'done' as const };
    const trials = [
      aTrial(1, { ...done, end: 'verified', reward: 1 }),
      aTrial(2, { ...done, end: 'errored' }),
      aTrial(3, { ...done, end: 'lost' }),
      aTrial(4, { ...done, end: 'cancelled' }),
    ];
    runs.show.mockResolvedValue({ run: aRun(), trials });
    expect(provider.getTreeItem(await first(await first())).description).toBe('2 errored · reward 1.00');
  });

  it('say that a verdict is that of an earlier run, and what can be done in the editor about one that is missing', async () => {
    const { runs, provider } = aView();
    const hint = 'Name one. Then: codex-coach runs regrade <run> --rubric-only';
    const error = { code: 'judge.missing' as const, message: 'No judge is set.', hint };
    const trials = [
      aTrial(1, { phase: 'done', end: 'verified', reward: 1, reusedFrom: 'run-0.1' }),
      aTrial(2, { phase: 'done', end: 'errored', error }),
    ];
    runs.show.mockResolvedValue({ run: aRun(), trials });
    const [run] = await provider.getChildren();
    const [agent] = await provider.getChildren(run);
    const [reused, errored] = (await provider.getChildren(agent)).map(row => provider.getTreeItem(row));
    expect(reused?.description).toBe('Passed (reused) 1.00');
    expect(errored?.tooltip).toContain('No judge is set.\nName one. Then: “Regrade…”\n');
  });

  it('say which attempt it is before a long name of a task, and no duration as 0:00', async () => {
    const { runs, provider, first } = aView();
    const task = 'refund-rounding-zero-decimal-currencies';
    const trial = aTrial(2, { task, phase: 'done', end: 'verified', reward: 1, agentMs: 420 });
    runs.show.mockResolvedValue({ run: aRun({ tasks: ['add-totals', task] }), trials: [trial] });
    const item = provider.getTreeItem(await first(await first(await first())));
    expect(item.label).toBe('#2 refund-rou…ncies');
    expect(item.description).toBe('Passed 1.00 · agent time 0.4 s');
    expect(item.accessibilityInformation?.label).toContain(`codex, ${task} #2`);
  });

  it('come anew when there is one that was not listed', async () => {
    const { tell, refreshed, first } = aView();
    await first();
    tell('changed', aRun({ id: 'run-2' }));
    await vi.waitFor(() => expect(refreshed).toEqual([undefined]), 5000);
  });
});
