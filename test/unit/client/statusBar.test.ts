import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { Coach } from '../../../client/coach.ts';
import { createStatusBar } from '../../../client/statusBar.ts';
import type { ProxyStatus } from '../../../protocol/proxy.ts';
import { noCost, noUsage } from '../../../protocol/usage.ts';

const item = vi.hoisted(() => ({ text: '', tooltip: '', show() {}, hide() {}, dispose() {} }));
const editor = vi.hoisted(() => ({ folders: undefined as object[] | undefined }));
vi.mock('vscode', () => ({
  l10n: { t: (text: string, ...values: unknown[]) => text.replace(/\{(\d)\}/g, (_, at) => String(values[Number(at)])) },
  window: { createStatusBarItem: () => item },
  StatusBarAlignment: { Left: 1 },
  ThemeColor: class {},
  Disposable: {
    from: (...parts: { dispose(): void }[]) => ({ dispose: () => parts.forEach(part => void part.dispose()) }),
  },
  commands: { executeCommand: async () => undefined },
  workspace: {
    get workspaceFolders() {
      return editor.folders;
    },
  },
}));

const none = { dispose() {} };

/** A connected editor, and a server that spent something on the 22nd only. */
function aCoach() {
  const today = vi.fn(async () =>
    new Date().getDate() === 22
      ? { exchanges: 3, usage: { ...noUsage, inputTokens: 12_000 }, cost: { kind: 'priced', amountUsd: 0.47 } }
      : { exchanges: 0, usage: noUsage, cost: noCost },
  );
  const status: ProxyStatus = {
    ...{ state: 'listening', host: '127.0.0.1', port: 18080, caFile: '', bundleFile: '', exchanges: 3 },
    ...{ openConnections: 0, uncaptured: 0, budgets: [], uncounted: [], lossesToday: null, recordingFault: null },
    ...{ distrusting: [], unreached: [], error: null },
  };
  const server = {
    state: 'up',
    onDidChangeState(listener: (state: string) => void) {
      listener('up');
      return none;
    },
  };
  const coach = {
    log: { warn: vi.fn(), error: vi.fn() },
    server,
    api: {
      sessions: { today, on: () => none },
      proxy: { status: async () => status, on: () => none },
      tasks: { recording: async () => ({ recording: null }), on: () => none },
    },
  };
  return { coach: coach as unknown as Coach, server, today };
}

beforeEach(() => void vi.useFakeTimers({ now: new Date(2026, 10, 22, 23, 50) }));
afterEach(() => void vi.useRealTimers());

it('shows nothing of yesterday once it is tomorrow, though no agent works', async () => {
  const { coach, today } = aCoach();
  const bar = createStatusBar(coach);
  await vi.advanceTimersByTimeAsync(9 * 60_000);
  expect(item.tooltip).toContain('Today: ');
  expect(today).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(3 * 60_000);
  expect(item.tooltip).not.toContain('Today: ');
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(today).toHaveBeenCalledTimes(2);
  bar.dispose();
  expect(vi.getTimerCount()).toBe(0);
});

it('notices the new day when the machine wakes from a night’s sleep', async () => {
  const { coach } = aCoach();
  const bar = createStatusBar(coach);
  await vi.advanceTimersByTimeAsync(1000);
  expect(item.tooltip).toContain('Today: ');
  // Timers stand still while the machine sleeps.
  vi.setSystemTime(new Date(2026, 10, 23, 8, 0));
  await vi.advanceTimersByTimeAsync(65_000);
  expect(item.tooltip).not.toContain('Today: ');
  bar.dispose();
});

it('asks nothing of a server that is not there', async () => {
  const { coach, server, today } = aCoach();
  const bar = createStatusBar(coach);
  await vi.advanceTimersByTimeAsync(1000);
  server.state = 'down';
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(today).toHaveBeenCalledTimes(1);
  bar.dispose();
});

it('shows the proxy as it was told to be last, though what was spent is still being counted', async () => {
  const { coach } = aCoach();
  const listening = await coach.api.proxy.status({});
  const counted = Promise.withResolvers<{ exchanges: number }>();
  const told: ((status: ProxyStatus) => void)[] = [];
  Object.assign(coach.api.sessions, { today: () => counted.promise });
  Object.assign(coach.api.proxy, {
    on: (_: string, listener: (typeof told)[0]) => {
      told.push(listener);
      return none;
    },
  });
  const bar = createStatusBar(coach);
  await vi.advanceTimersByTimeAsync(10);
  for (const tell of told) tell({ ...listening, state: 'failed', error: 'The port is taken.' });
  counted.resolve({ exchanges: 0 });
  await vi.advanceTimersByTimeAsync(10);
  expect(item.tooltip).toContain('The port is taken.');
  bar.dispose();
});

it('ticks no more once it is gone, whatever the server still answers', async () => {
  const { coach } = aCoach();
  const counted = Promise.withResolvers<{ exchanges: number }>();
  Object.assign(coach.api.sessions, { today: () => counted.promise });
  const recording = { repository: '/work', title: 'Add a median', startedAt: new Date().toISOString() };
  Object.assign(coach.api.tasks, { recording: async () => ({ recording }) });
  editor.folders = [{ uri: { scheme: 'file', fsPath: '/work' } }];
  onTestFinished(() => {
    editor.folders = undefined;
  });
  const bar = createStatusBar(coach);
  await vi.advanceTimersByTimeAsync(10);
  bar.dispose();
  counted.resolve({ exchanges: 0 });
  await vi.advanceTimersByTimeAsync(10);
  expect(vi.getTimerCount()).toBe(0);
});
