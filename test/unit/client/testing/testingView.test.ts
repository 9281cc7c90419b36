import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import type * as vscode from 'vscode';
import type { Coach } from '../../../../client/coach.ts';
import { followRun } from '../../../../client/testing/followRun.ts';
import { showTasks } from '../../../../client/testing/testingView.ts';
import type { RunEvent, RunSummary, TrialSummary } from '../../../../protocol/runs.ts';
import type { Suite } from '../../../../protocol/suites.ts';
import { aRun, aTrial } from '../../../fakes/scriptedRun.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const editor = vi.hoisted(() => {
  class Items {
    readonly all = new Map<string, Item>();
    readonly owner: Item | undefined;
    constructor(owner?: Item) {
      this.owner = owner;
    }
    get size() {
      return this.all.size;
    }
    get = (id: string) => this.all.get(id);
    add(item: Item) {
      item.parent = this.owner;
      this.all.set(item.id, item);
    }
    replace(items: Item[]) {
      this.all.clear();
      for (const item of items) this.add(item);
    }
    forEach(each: (item: Item) => void) {
      for (const item of this.all.values()) each(item);
    }
  }
  class Item {
    parent: Item | undefined;
    error: string | undefined;
    sortText = '';
    readonly children = new Items(this);
    readonly id: string;
    readonly uri: unknown;
    label: string;
    constructor(id: string, label: string, uri: unknown) {
      this.id = id;
      this.label = label;
      this.uri = uri;
    }
  }
  type Handler = (request: object, token: object) => Promise<void>;
  const state = {
    shown: [] as string[],
    runs: [] as Mirror[],
    run: undefined as Handler | undefined,
    isDefault: true,
    root: new Items(),
  };
  class Mirror {
    readonly told: [string, string, ...unknown[]][] = [];
    output = '';
    ended = false;
    readonly cancels: (() => void)[] = [];
    readonly token = {
      onCancellationRequested: (listener: () => void) => {
        this.cancels.push(listener);
        return { dispose() {} };
      },
    };
    readonly #tell = (verb: string) => (item: Item, more?: unknown) =>
      void this.told.push(more === undefined ? [verb, item.label] : [verb, item.label, more]);
    enqueued = this.#tell('enqueued');
    started = this.#tell('started');
    passed = (item: Item) => this.#tell('passed')(item);
    skipped = this.#tell('skipped');
    failed = this.#tell('failed');
    errored = this.#tell('errored');
    appendOutput = (text: string) => {
      this.output += text;
    };
    end = () => {
      this.ended = true;
    };
  }
  const controller = {
    items: state.root,
    createTestItem: (id: string, label: string, uri: unknown) => new Item(id, label, uri),
    createRunProfile(_label: string, _kind: number, run: Handler, isDefault: boolean) {
      Object.assign(state, { run, isDefault });
    },
    createTestRun() {
      const mirror = new Mirror();
      state.runs.push(mirror);
      return mirror;
    },
    dispose() {},
    refreshHandler: async () => {},
  };
  const words = (text: string, ...values: unknown[]) =>
    text.replace(/\{(\d)\}/g, (_, at) => String(values[Number(at)]));
  class TestMessage {
    readonly message: string;
    constructor(message: string) {
      this.message = message;
    }
  }
  const api = {
    l10n: { t: words },
    tests: { createTestController: () => controller },
    TestRunProfileKind: { Run: 1 },
    TestMessage,
    Uri: { file: (path: string) => path, joinPath: (...parts: string[]) => parts.join('/') },
    Disposable: {
      from: (...all: { dispose(): unknown }[]) => ({ dispose: () => all.forEach(one => void one.dispose()) }),
    },
    window: {
      showErrorMessage: async (text: string) => void state.shown.push(text),
    },
    workspace: { workspaceFolders: [{ uri: { scheme: 'file', fsPath: '/work/kit' } }] },
  };
  return { state, controller, api };
});
vi.mock('vscode', () => editor.api);

/** A run that says what the test makes it say. */
function aScript(trials: TrialSummary[]) {
  const listeners = new Map<string, Set<(payload: never) => void>>();
  const script = {
    run: aRun({ tasks: ['median'] }),
    trials,
    events: [] as RunEvent[],
    cancelled: 0,
    suites: [aSuite()],
    say(text: string, trialId: string | null = trials[0]?.id ?? null) {
      const seq = script.events.length + 1;
      script.events.push({ runId: 'run-1', seq, at: '', trialId, kind: 'agent', phase: null, text, usage: null });
      script.tell('progress', { runId: 'run-1' });
    },
    change(index: number, changes: Partial<TrialSummary>) {
      script.trials = script.trials.map((trial, at) => (at === index ? { ...trial, ...changes } : trial));
      script.tell('trialChanged', { runId: 'run-1' });
    },
    finish(state: RunSummary['state'] = 'finished') {
      script.run = { ...script.run, state };
      script.tell('changed', script.run);
    },
    tell: (name: string, payload: object) => listeners.get(name)?.forEach(listen => void listen(payload as never)),
  };
  const on = (name: string, listener: (payload: never) => void) => {
    listeners.set(name, (listeners.get(name) ?? new Set()).add(listener));
    return { dispose: () => void listeners.get(name)?.delete(listener) };
  };
  const runs = {
    on,
    show: async () => ({ run: script.run, trials: script.trials }),
    events: async ({ after, limit }: { after: number; limit: number }) => ({
      events: script.events.filter(({ seq }) => seq > after).slice(0, limit),
    }),
    cancel: async () => {
      script.cancelled += 1;
      script.finish('cancelled');
    },
  };
  const tasks = { on, list: async () => ({ rows: ['median', 'mode', 'mean'].map(task) }) };
  const suites = { on, list: async () => ({ rows: script.suites }) };
  const listenerCount = () => ['progress', 'trialChanged', 'changed'].map(name => listeners.get(name)?.size ?? 0);
  return { script, api: { runs, tasks, suites } as unknown as Coach['api'], listenerCount };
}

const aSuite = (changes: Partial<Suite> = {}): Suite => ({
  ...{ name: 'smoke', title: 'Smoke', description: '', repository: '/work/kit', problem: null },
  ...{ file: '/work/kit/.coach/suites/smoke.toml', tasks: ['median', 'mode'], missing: [] },
  ...changes,
});

const task = (id: string) => ({
  ...{ id, title: `The ${id}`, state: id === 'mode' ? 'prepared' : 'proven', repository: '/work/kit', problem: null },
  directory: `/work/kit/.coach/tasks/prepared/${id}`,
});

async function shown(trials: TrialSummary[]) {
  editor.state.runs.length = 0;
  editor.state.shown.length = 0;
  const { script, api } = aScript(trials);
  const asked: string[][] = [];
  const log = { warn: () => undefined, error: () => undefined };
  const view = showTasks({ api, log } as unknown as Coach, async (_, tasks) => {
    asked.push(tasks.map(({ id }) => id));
    return script.run;
  });
  onTestFinished(() => void view.dispose());
  await editor.controller.refreshHandler();
  const token = { isCancellationRequested: false } as vscode.CancellationToken;
  const suite = editor.state.root.get('/work/kit/.coach/suites/smoke');
  const others = editor.state.root.get('/work/kit');
  const run = (include: unknown[] | undefined) => editor.state.run?.({ include }, token);
  return { script, asked, suite, others, run };
}

it('shows suite and tasks, and is never the default that runs all', async () => {
  const { suite, others } = await shown([]);
  const rows = [...(suite?.children.all.values() ?? [])].map(({ label, uri }) => [label, uri]);
  expect([suite?.label, suite?.error, suite?.uri]).toEqual([
    ...['Smoke', undefined, '/work/kit/.coach/suites/smoke.toml'],
  ]);
  expect(others?.label).toBe('kit');
  expect([...(others?.children.all.values() ?? [])].map(({ label }) => label)).toEqual(['The mean']);
  expect(rows).toEqual([
    ['The median', '/work/kit/.coach/tasks/prepared/median/task.toml'],
    ['The mode (not proven)', '/work/kit/.coach/tasks/prepared/mode/task.toml'],
  ]);
  expect(editor.state.isDefault).toBe(false);
});

it('asks first, then mirrors each attempt with its reward and the tests that failed', async () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'verifier'));
  writeFileSync(join(directory, 'verifier', 'test-stdout.txt'), 'not ok 1\n\u001b]0;title\u0007');
  const { script, asked, suite, run } = await shown([
    aTrial({ id: 'a', task: 'median', directory }),
    aTrial({ id: 'b', task: 'median', attempt: 2 }),
  ]);
  const median = suite?.children.get('/work/kit/.coach/suites/smoke/median');
  const ended = run([median]);
  await expect.poll(() => editor.state.runs[0]?.told.length).toBe(2);
  expect(asked).toEqual([['median']]);
  script.change(0, { phase: 'agent' });
  script.say('line one\nline two \u001b[31mred');
  const failing = { id: 'test/a.js > adds', expected: 'failToPass', status: 'failed', message: '1 !== 2' } as const;
  script.change(0, { phase: 'done', end: 'verified', reward: 0, tests: [failing] });
  script.change(1, { phase: 'done', end: 'verified', reward: 1, cost: { kind: 'priced', amountUsd: 0.12 } });
  script.finish();
  await ended;
  const mirror = editor.state.runs[0];
  expect(mirror?.ended).toBe(true);
  expect(mirror?.output).toBe('line one\r\nline two ␛[31mred\r\n');
  expect(mirror?.told).toEqual(
    expect.arrayContaining([
      ['enqueued', 'codex #1'],
      ['enqueued', 'codex #2'],
      ['failed', 'codex #1: reward 0.00', expect.anything()],
      ['passed', 'codex #2: reward 1.00, $0.12'],
    ]),
  );
  const messages = mirror?.told.find(([verb]) => verb === 'failed')?.[2] as { message: string }[];
  expect(messages.map(({ message }) => message)).toEqual([
    'test/a.js > adds: failed\n1 !== 2',
    'The verifier printed:\nnot ok 1\n␛]0;title␇',
  ]);
});

it('runs the task of an attempt, and all tasks of a suite', async () => {
  const { script, asked, suite, run } = await shown([aTrial({ id: 'a', task: 'median' })]);
  script.finish();
  await run([suite]);
  const attempt = suite?.children.get('/work/kit/.coach/suites/smoke/median')?.children.get('a');
  await run([attempt]);
  expect(asked).toEqual([['median', 'mode'], ['median']]);
});

it('runs a task of two suites once, and no suite that lacks a task', async () => {
  const { script, asked, suite, run } = await shown([aTrial({ id: 'a', task: 'median' })]);
  script.suites = [aSuite(), aSuite({ name: 'slow', title: 'Slow', tasks: ['median', 'gone'], missing: ['gone'] })];
  await editor.controller.refreshHandler();
  script.finish();
  const slow = editor.state.root.get('/work/kit/.coach/suites/slow');
  expect(slow?.error).toBe('Not prepared in this repository: gone. The suite can’t be run.');
  await run([suite, ...(slow?.children.all.values() ?? [])]);
  expect(asked).toEqual([['median', 'mode']]);
  await run([slow]);
  expect(asked).toHaveLength(1);
  expect(editor.state.shown).toEqual([
    expect.stringContaining('The suite slow names tasks that are not prepared: gone.'),
  ]);
});

it('cancels the run that it mirrors', async () => {
  const { script, suite, run } = await shown([aTrial({ id: 'a', task: 'median' })]);
  const ended = run([suite?.children.get('/work/kit/.coach/suites/smoke/median')]);
  await expect.poll(() => editor.state.runs.length).toBe(1);
  script.change(0, { phase: 'done', end: 'cancelled' });
  for (const cancel of editor.state.runs[0]?.cancels ?? []) cancel();
  await ended;
  expect(script.cancelled).toBe(1);
  expect(editor.state.runs[0]?.told.at(-1)).toEqual(['skipped', 'codex #1: reward –']);
});

it('tells every line of the journal once and in order, also of more than one page', async () => {
  const { script, api, listenerCount } = aScript([]);
  for (let line = 0; line < 2500; line++) script.say(String(line));
  const heard: number[] = [];
  const follower = { trial: () => undefined, event: ({ seq }: RunEvent) => void heard.push(seq) };
  const ended = followRun(api, 'run-1', follower, new AbortController().signal);
  await expect.poll(() => heard.length).toBe(2500);
  script.say('late');
  script.finish();
  await ended;
  expect(heard).toEqual(Array.from({ length: 2501 }, (_, index) => index + 1));
  expect(listenerCount()).toEqual([0, 0, 0]);
});

it('shows the suites as they are, though an earlier answer comes last', async () => {
  const { api } = aScript([]);
  const answers: ((suites: Suite[]) => void)[] = [];
  Object.assign(api.suites, {
    list: async () => ({ rows: await new Promise<Suite[]>(resolve => void answers.push(resolve)) }),
  });
  const log = { warn: () => undefined, error: () => undefined };
  const view = showTasks({ api, log } as unknown as Coach);
  onTestFinished(() => void view.dispose());
  const first = editor.controller.refreshHandler();
  await expect.poll(() => answers.length).toBe(1);
  const second = editor.controller.refreshHandler();
  await new Promise(resolve => setTimeout(resolve, 5));
  answers[1]?.([aSuite({ title: 'As it is' })]);
  answers[0]?.([aSuite({ title: 'As it was' })]);
  await expect.poll(() => answers.length).toBe(2);
  answers[1]?.([aSuite({ title: 'As it is' })]);
  await Promise.all([first, second]);
  expect(editor.state.root.get('/work/kit/.coach/suites/smoke')?.label).toBe('As it is');
});

it('says nothing of a fault once it is no longer shown', async () => {
  const { api } = aScript([]);
  const asked = Promise.withResolvers<never>();
  Object.assign(api.tasks, { list: () => asked.promise });
  const view = showTasks({ api, log: { warn: () => undefined, error: () => undefined } } as unknown as Coach);
  editor.state.shown.length = 0;
  const refreshed = editor.controller.refreshHandler();
  view.dispose();
  asked.reject(new Error('The connection was closed.'));
  await refreshed;
  expect(editor.state.shown).toEqual([]);
});
