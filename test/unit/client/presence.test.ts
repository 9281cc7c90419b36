import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Coach } from '../../../client/coach.ts';
import { trackPresence } from '../../../client/presence.ts';

const editor = vi.hoisted(() => ({
  context: new Map<string, unknown>(),
  endedSteps: [] as string[],
  watchers: [] as { pattern: string; happened: () => void }[],
  isTrusted: true,
  tabs: (_change: object): void => undefined,
}));
vi.mock('vscode', () => {
  const subscription = () => ({ dispose: () => undefined });
  class TabInputWebview {
    readonly viewType: string;
    constructor(viewType: string) {
      this.viewType = viewType;
    }
  }
  return {
    Disposable: { from: subscription },
    TabInputWebview,
    TabInputTextDiff: class {},
    commands: {
      async executeCommand(command: string, name: string, value: unknown) {
        if (command === 'setContext') editor.context.set(name, value);
        else if (command !== 'welcome.markStepComplete') throw new Error(`Unexpected command ${command}`);
        else if (editor.endedSteps.push(name) > 0) throw new Error('There is no such step yet');
      },
    },
    window: {
      tabGroups: {
        onDidChangeTabs: (listener: typeof editor.tabs) => {
          editor.tabs = listener;
          return subscription();
        },
      },
    },
    workspace: {
      get isTrusted() {
        return editor.isTrusted;
      },
      workspaceFolders: [{ uri: { scheme: 'file', fsPath: '/work' } }],
      createFileSystemWatcher(pattern: string) {
        const on = (happened: () => void) => {
          editor.watchers.push({ pattern, happened });
          return subscription();
        };
        return { onDidCreate: on, onDidChange: on, onDidDelete: on, ...subscription() };
      },
      onDidChangeWorkspaceFolders: subscription,
      onDidGrantWorkspaceTrust: subscription,
    },
  };
});

interface Things {
  tasks: { state: string }[] | Error;
  runs: { state: string }[];
  sessions: object[];
  /** Default: ready. */
  repository?: 'none' | 'empty' | 'ready';
}

function aCoach(things: Things) {
  const states: (() => void)[] = [];
  const rows = <T>(value: T[] | Error) =>
    value instanceof Error ? Promise.reject(value) : Promise.resolve({ rows: value });
  const on = () => ({ dispose: () => undefined });
  const asked = vi.fn(() => rows(things.tasks));
  const server = {
    state: 'up',
    onDidChangeState: (listener: () => void) => {
      states.push(listener);
      return on();
    },
  };
  const api = {
    tasks: { on, list: asked, repository: async () => ({ state: things.repository ?? 'ready' }) },
    suites: { on, list: () => rows([]) },
    runs: { on, list: () => (things.tasks instanceof Error ? rows(things.tasks) : rows(things.runs)) },
    sessions: { on },
  };
  const coach = { server, api, log: console } as unknown as Coach;
  const any = async () => things.sessions.length > 0;
  return { coach, asked, any, up: () => states.forEach(listener => void listener()) };
}

function aMemory(kept: string[] = []) {
  const store = { kept };
  const memory = {
    keys: () => [],
    get: () => store.kept as never,
    update: async (_: string, value: string[]) => {
      store.kept = value;
    },
  };
  return { memory, store };
}

const isOn = (key: string) => editor.context.get(`codexCoach.${key}`) === true;

describe('what this window has and the person has come to', () => {
  beforeEach(() => {
    editor.context.clear();
    editor.endedSteps = [];
    editor.watchers = [];
    editor.isTrusted = true;
  });

  it('follows what there is, whoever made it', async () => {
    const things: Things = { tasks: [{ state: 'created' }], runs: [], sessions: [] };
    const { coach, any, up } = aCoach(things);
    const { memory, store } = aMemory();
    trackPresence(coach, memory, any);
    up();
    await vi.waitFor(() => expect(store.kept).toEqual(['sample', 'task']), 5000);
    expect([isOn('has.created'), isOn('has.runnable'), isOn('did.task'), isOn('did.proven')]).toEqual([
      ...[true, false, true, false],
    ]);
    Object.assign(things, { tasks: [{ state: 'proven' }], runs: [{ state: 'finished' }], sessions: [{}] });
    up();
    await vi.waitFor(() => expect(store.kept).toHaveLength(5), 5000);
    expect([isOn('has.created'), isOn('has.runnable'), isOn('has.running'), isOn('has.sessions')]).toEqual([
      ...[false, true, false, true],
    ]);
  });

  it('keeps what was reached when the things are gone, also in the next window', async () => {
    const { coach, any } = aCoach({ tasks: [], runs: [], sessions: [] });
    trackPresence(coach, aMemory(['task', 'run', 'unknown']).memory, any);
    expect([isOn('did.task'), isOn('did.run'), editor.context.size]).toEqual([true, true, 2]);
  });

  it('shows each step of the walkthrough as done that was reached, now or in an earlier window', async () => {
    const { coach, any, up } = aCoach({ tasks: [{ state: 'created' }], runs: [], sessions: [] });
    const { memory, store } = aMemory(['run']);
    trackPresence(coach, memory, any);
    expect(editor.endedSteps).toEqual(['codex-coach.codex-coach#start#run']);
    up();
    await vi.waitFor(() => expect(store.kept).toHaveLength(3), 5000);
    expect(editor.endedSteps).toEqual(['run', 'sample', 'task'].map(name => `codex-coach.codex-coach#start#${name}`));
  });

  it('notices that the folder became a repository, and its first commit, but looks no more at later ones', async () => {
    const things: Things = { tasks: [], runs: [], sessions: [], repository: 'none' };
    const { coach, any, asked, up } = aCoach(things);
    const { memory, store } = aMemory();
    trackPresence(coach, memory, any);
    const state = () => editor.context.get('codexCoach.repository');
    const happened = (file: string) => editor.watchers.find(({ pattern }) => pattern.includes(file))?.happened();
    up();
    await vi.waitFor(() => expect(state()).toBe('none'), 5000);
    things.repository = 'empty';
    happened('**/.git');
    await vi.waitFor(() => expect(state()).toBe('empty'), 5000);
    expect(store.kept).toEqual([]);
    things.repository = 'ready';
    happened('**/.git/');
    await vi.waitFor(() => expect(state()).toBe('ready'), 5000);
    expect(store.kept).toEqual(['sample']);
    const looks = asked.mock.calls.length;
    vi.useFakeTimers();
    happened('**/.git/');
    await vi.runAllTimersAsync();
    vi.useRealTimers();
    expect(asked.mock.calls).toHaveLength(looks);
  });

  it('takes a folder without a repository for one without tasks', async () => {
    const nowhere = { tasks: new Error('no repository'), runs: [], sessions: [{}], repository: 'none' as const };
    const { coach, any, up } = aCoach(nowhere);
    const { memory, store } = aMemory();
    trackPresence(coach, memory, any);
    up();
    await vi.waitFor(() => expect(store.kept).toEqual(['session']), 5000);
  });

  it('asks for nothing but sessions in a workspace that is not trusted', async () => {
    editor.isTrusted = false;
    const { coach, asked, any, up } = aCoach({ tasks: [{ state: 'proven' }], runs: [], sessions: [{}] });
    const { memory, store } = aMemory();
    trackPresence(coach, memory, any);
    up();
    await vi.waitFor(() => expect(store.kept).toEqual(['session']), 5000);
    expect(asked).not.toHaveBeenCalled();
  });

  it('knows that a trial was looked at by the page of its run', async () => {
    const vscode = await import('vscode');
    const { memory, store } = aMemory();
    trackPresence(aCoach({ tasks: [], runs: [], sessions: [] }).coach, memory, async () => false);
    const Webview = vscode.TabInputWebview as unknown as new (type: string) => object;
    editor.tabs({ opened: [{ input: new Webview('mainThreadWebview-other') }] });
    expect(store.kept).toEqual([]);
    editor.tabs({ opened: [{ input: new Webview('mainThreadWebview-codexCoach.run') }] });
    expect(store.kept).toEqual(['review']);
  });
});
