import * as vscode from 'vscode';
import { inTurn } from '../protocol/inTurn.ts';
import type { ProxyStatus } from '../protocol/proxy.ts';
import type { Recording } from '../protocol/tasks.ts';
import type { Coach } from './coach.ts';
import { commandId, recordingContextKey } from './contributions.ts';
import { repositories } from './repository.ts';
import { type Spent, statusWords } from './statusWords.ts';

/** Asked at most this often while agents work. */
const spentMs = 2000;
const tickMs = 1000;
/** How often it is looked whether a new day has begun: a timer until midnight stands still while the machine sleeps. */
const dayCheckMs = 60_000;

/**
 * One item on the left: the task being recorded with its time, else the state of the recording proxy; then what was spent
 * today. A click offers what can be done. Hidden until connected.
 */
export function createStatusBar(coach: Coach): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('codexCoach.status', vscode.StatusBarAlignment.Left, 10);
  item.name = 'Codex Coach';
  item.command = commandId('showStatus');
  const recordings = new Map<string, Recording>();
  let proxy: ProxyStatus | undefined;
  let spent: Spent | undefined;
  /** The day that was asked about last. */
  let spentOn = '';
  let isDisposed = false;
  let clock: NodeJS.Timeout | undefined;
  let spentSoon: NodeJS.Timeout | undefined;

  function show(): void {
    if (isDisposed) return;
    const recording = recordings.values().next().value;
    void vscode.commands.executeCommand('setContext', recordingContextKey, recording !== undefined);
    tick(recording !== undefined);
    if (coach.server.state !== 'up') {
      item.hide();
      return;
    }
    const words = statusWords({ recording, proxy, spent, nowMs: Date.now() });
    item.text = words.text;
    item.tooltip = words.tooltip;
    item.accessibilityInformation = { label: `Codex Coach: ${words.tooltip}` };
    item.backgroundColor = words.warning ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    item.show();
  }

  /** The clock runs only while there is something to time. */
  function tick(wanted: boolean): void {
    if (wanted === (clock !== undefined)) return;
    clearInterval(clock);
    clock = wanted ? setInterval(show, tickMs) : undefined;
  }

  function loadSpentSoon(): void {
    spentSoon ??= setTimeout(() => {
      spentSoon = undefined;
      void loadSpent().then(show, (error: unknown) => coach.log.warn(String(error)));
    }, spentMs);
  }

  const loadSpent = inTurn(async () => {
    const day = new Date().toDateString();
    spent = await coach.api.sessions.today({});
    spentOn = day;
  });

  /** At midnight nothing of today is spent, and no session says so. */
  function lookAtDay(): void {
    if (coach.server.state === 'up' && spentOn !== new Date().toDateString()) loadSpentSoon();
  }

  async function loadProxy(): Promise<void> {
    proxy = await coach.api.proxy.status({});
  }

  const load = inTurn(async () => {
    await Promise.all([loadProxy(), loadSpent()]);
    recordings.clear();
    for (const repository of repositories()) {
      const { recording } = await coach.api.tasks.recording({ repository }).catch(() => ({ recording: null }));
      if (recording !== null) recordings.set(recording.repository, recording);
    }
    show();
  });

  const day = setInterval(lookAtDay, dayCheckMs);
  return vscode.Disposable.from(
    item,
    {
      dispose() {
        isDisposed = true;
        for (const timer of [clock, spentSoon, day]) clearTimeout(timer);
      },
    },
    coach.server.onDidChangeState(state => {
      show();
      if (state === 'up') void load().catch((error: unknown) => coach.log.error(String(error)));
    }),
    coach.api.proxy.on('changed', status => {
      proxy = status;
      show();
    }),
    coach.api.sessions.on('changed', loadSpentSoon),
    coach.api.tasks.on('recordingChanged', ({ repository, recording }) => {
      if (!repositories().some(folder => folder === repository || folder.startsWith(`${repository}/`))) return;
      if (recording === null) recordings.delete(repository);
      else recordings.set(repository, recording);
      show();
    }),
  );
}
